package com.datanadhi.hub.apply;

import org.jspecify.annotations.Nullable;

/// How applying of a stream stands.
///
/// @param appliedOffset up to which log records are applied, or held back for a parked tenant; -1
///   before the first
/// @param headOffset the last that readers of the log see, or -1
/// @param lagRecords between the two
/// @param lagMillis the age of the oldest log record between the two, or 0
/// @param parkedTenants how many
/// @param heldBackRecords log records that were passed over for parked tenants
/// @param stored log records, over all tenants, as the databases count them; the others likewise
/// @param lostRecords offsets that are recorded as lost
/// @param unreadableRecords log records that tell no tenant and wait to be skipped
/// @param appliedEvents rows of `events` since the process began
/// @param blocked why the log cannot be read on, or null
/// @param isDamaged whether that is damage that only a recorded loss ends
public record ApplyStats(
    String stream,
    long appliedOffset,
    long headOffset,
    long lagRecords,
    long lagMillis,
    int parkedTenants,
    long heldBackRecords,
    long stored,
    long duplicates,
    long conflicts,
    long skipped,
    long lostRecords,
    int unreadableRecords,
    long appliedEvents,
    @Nullable String blocked,
    boolean isDamaged) {
  /// Log records that are passed and not accounted for: 0, unless one was lost on the way.
  public long unaccounted() {
    return appliedOffset
        + 1
        - stored
        - duplicates
        - conflicts
        - skipped
        - lostRecords
        - unreadableRecords
        - heldBackRecords;
  }
}
