package com.datanadhi.hub.view;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the records of `_control` mean, in the same snapshot as the rest of its canonical.db. Not
/// thread-safe; valid only within the call of [TenantDatabases#read].
public interface ControlReader {
  /// All API keys, revoked ones included, the oldest first.
  List<ApiKeyRow> apiKeys();

  /// All skips, in order of stream and offset.
  List<SkipRow> skips();

  /// All losses, in order of stream and first offset.
  List<LossRow> losses();

  /// The position of a consumer, or null.
  @Nullable CursorRow cursor(String tenant, String pipeline, String consumer);

  /// The positions of all consumers of a tenant, in order of pipeline and consumer.
  List<CursorRow> cursors(String tenant);

  /// The positions of a tenant's consumers that have a greater control offset, in its order.
  List<CursorRow> cursorsAfter(String tenant, long controlOffset);

  /// The tenants that have a position with a greater control offset, in order of their names.
  List<String> tenantsWithCursorsAfter(long controlOffset);
}
