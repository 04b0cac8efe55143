package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.record.TenantName;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The names of objects: `snapshots/<tenant>/snap_<time>/<file>`.
final class SnapshotKeys {
  static final String ROOT = "snapshots/";
  static final Set<String> FILES = Set.of(Manifest.CANONICAL, Manifest.MAILBOX, Manifest.NAME);

  private static final String PREFIX = "snap_";

  private SnapshotKeys() {}

  static boolean isTenant(String name) {
    return TenantName.isValid(name) || name.equals(TenantName.CONTROL);
  }

  /// The prefix of all objects of a tenant.
  static String ofTenant(String tenant) {
    if (!isTenant(tenant)) {
      throw new IllegalArgumentException("not the name of a tenant: " + tenant);
    }
    return ROOT + tenant + "/";
  }

  /// The prefix of all objects of a snapshot.
  static String folder(String tenant, String id) {
    return ofTenant(tenant) + id + "/";
  }

  static String key(String tenant, String id, String file) {
    return folder(tenant, id) + file;
  }

  /// @param time in whole seconds
  static String id(Instant time) {
    return PREFIX + time;
  }

  /// The time in the name of a folder, or null if it is not that of a snapshot.
  static @Nullable Instant time(String id) {
    return id.startsWith(PREFIX) ? seconds(id.substring(PREFIX.length())) : null;
  }

  /// A time in whole seconds as [Instant#toString] writes it, or null.
  static @Nullable Instant seconds(String text) {
    try {
      Instant time = Instant.parse(text);
      return time.toString().equals(text) && time.equals(time.truncatedTo(ChronoUnit.SECONDS))
          ? time
          : null;
    } catch (DateTimeException other) {
      return null;
    }
  }
}
