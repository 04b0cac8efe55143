package com.datanadhi.hub.view;

import com.datanadhi.hub.record.Content;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One transaction on a tenant's canonical.db: what applying changes. Not thread-safe; valid only
/// within the call of [TenantDatabases#write]. What it has written it also reads.
public interface TenantWriter extends TenantReader {
  /// The row of `applied_events` with this key, also if it is forgotten, or null.
  @Nullable AppliedTransaction appliedRow(String key);

  void insertEvent(StoredEvent event);

  /// Inserts a row of `applied_events`, or replaces the forgotten one with this key.
  void putApplied(AppliedTransaction transaction);

  /// Whether the number of the source is stored.
  boolean hasNumber(String source, long number);

  /// Adds the number to the intervals of the source, which are merged when they meet.
  void addNumber(String source, long number, long receivedAt);

  /// Keeps a payload that came under a known key; once per key and content.
  ///
  /// @param firstContent of the stored transaction; null if it is not known any more
  /// @param body the payload of the log record, as `EventCodec` encodes it
  /// @param acknowledged whether its sender was told that it is stored
  /// @return whether it is new
  boolean putConflict(
      String key,
      @Nullable Content firstContent,
      Content content,
      String position,
      long receivedAt,
      byte[] body,
      boolean acknowledged);

  /// Keeps a log record that is not applied.
  ///
  /// @param payload of the log record
  void putQuarantined(String position, long offset, long receivedAt, String reason, byte[] payload);

  /// Replaces the row of `state`.
  void saveState(ViewState state);

  /// Deletes rows of `applied_events` that are forgotten, at most `limit`.
  ///
  /// @return how many
  int deleteForgottenKeys(int limit);

  /// Deletes events before `seq`, and sets `firstSeq` and `chainBeforeFirst`.
  ///
  /// @param items how many of these events each pipeline has
  void deleteEventsBefore(long seq, String chainBeforeFirst, Map<String, Long> items);

  @Override
  ControlWriter control();
}
