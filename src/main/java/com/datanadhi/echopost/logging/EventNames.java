package com.datanadhi.echopost.logging;

/// The names of all events of the session log. Operators, the launcher and tests search for them:
/// changing one changes the contract and belongs in CHANGELOG.md.
public final class EventNames {
  public static final String ACKNOWLEDGE_DELAYED = "acknowledge_delayed";
  public static final String AGENT_FAILED = "agent_failed";
  public static final String AGENT_READY = "agent_ready";
  public static final String AGENT_STALLED = "agent_stalled";
  public static final String AGENT_STARTED = "agent_started";
  public static final String AGENT_STOPPED = "agent_stopped";
  public static final String BATCHES_OFFERED = "batches_offered";
  public static final String BATCHES_REFUSED = "batches_refused";
  public static final String BATCHES_SUSPENDED = "batches_suspended";
  public static final String BATCHES_WITHDRAWN = "batches_withdrawn";
  public static final String BUFFER_DAMAGED = "buffer_damaged";
  public static final String BUFFER_DAMAGED_AGAIN = "buffer_damaged_again";
  public static final String BUFFER_LOCKED = "buffer_locked";
  public static final String BUFFER_OPENED = "buffer_opened";
  public static final String BUFFER_LOST = "buffer_lost";
  public static final String BUFFER_NOT_RESTORED = "buffer_not_restored";
  public static final String BUFFER_REPLACE_FAILED = "buffer_replace_failed";
  public static final String BUFFER_RESTORED = "buffer_restored";
  public static final String CALL_FAILED = "call_failed";
  public static final String DIRECTORY_WRITABLE_BY_OTHERS = "directory_writable_by_others";
  public static final String DISK_FULL = "disk_full";
  public static final String DISK_ROOM_RECOVERED = "disk_room_recovered";
  public static final String DISK_ROOM_UNKNOWN = "disk_room_unknown";
  public static final String DRAINING = "draining";
  public static final String LEDGER_BROKEN = "ledger_broken";
  public static final String LEDGER_NOT_COUNTED = "ledger_not_counted";
  public static final String LOG_NOT_TRUNCATED = "log_not_truncated";
  public static final String LOCK_LOST = "lock_lost";
  public static final String LOCK_OWNER_NOT_WRITTEN = "lock_owner_not_written";
  public static final String LOCK_RESTORED = "lock_restored";
  public static final String LOG_NOT_WRITTEN = "log_not_written";
  public static final String METRICS_NOT_WRITTEN = "metrics_not_written";
  public static final String OLDEST_RECORD_UNKNOWN = "oldest_record_unknown";
  public static final String PROXY_IGNORED = "proxy_ignored";
  public static final String RECORD_REJECTED = "record_rejected";
  public static final String RECORDS_IMPORTED = "records_imported";
  public static final String RECORDS_MISSING = "records_missing";
  public static final String REJECTED_DISCARDED = "rejected_discarded";
  public static final String REJECTED_REDRIVEN = "rejected_redriven";
  public static final String REPLAY_COMPLETED = "replay_completed";
  public static final String REPLAY_STARTED = "replay_started";
  public static final String REPLAY_SUSPENDED = "replay_suspended";
  public static final String RESERVE_FAILED = "reserve_failed";
  public static final String RESIDENT_MEMORY_UNKNOWN = "resident_memory_unknown";
  public static final String RESTARTED_AFTER_CRASH = "restarted_after_crash";
  public static final String RESTARTS_GIVEN_UP = "restarts_given_up";
  public static final String SALVAGE_COMPLETED = "salvage_completed";
  public static final String SALVAGE_IMPOSSIBLE = "salvage_impossible";
  public static final String SALVAGE_REPORT_NOT_WRITTEN = "salvage_report_not_written";
  public static final String SERVER_DOWN = "server_down";
  public static final String SERVER_UP = "server_up";
  public static final String SERVING_RESUMED = "serving_resumed";
  public static final String SESSIONS_NOT_PRUNED = "sessions_not_pruned";
  public static final String SOCKET_HEALED = "socket_healed";
  public static final String SOCKET_NOT_LINKABLE = "socket_not_linkable";
  public static final String SOCKET_UNUSABLE = "socket_unusable";
  public static final String STOP_REQUESTED = "stop_requested";
  public static final String STORAGE_FAILED = "storage_failed";
  public static final String STORAGE_UNUSABLE = "storage_unusable";
  public static final String TEXTFILE_NOT_WRITTEN = "textfile_not_written";
  public static final String RECLAIM_SPACE_FAILED = "reclaim_space_failed";
  public static final String WATERMARK_FAILED = "watermark_failed";

  private EventNames() {}
}
