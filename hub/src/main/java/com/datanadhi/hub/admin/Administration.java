package com.datanadhi.hub.admin;

import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What operators can do with a hub: the running one behind `hub.sock`, or a directory without one.
/// Thread-safe; calls block, so they are made on virtual threads.
public interface Administration {
  /// Creates an API key; it is valid when this returns.
  ///
  /// @throws AdministrationException with [AdministrationException.Reason#INVALID] for a bad name
  NewApiKey createKey(String tenant, @Nullable String name)
      throws AdministrationException, InterruptedException;

  /// All keys, or those of one tenant, the oldest first.
  List<ApiKey> keys(@Nullable String tenant) throws AdministrationException, InterruptedException;

  /// Revokes an API key; it is refused when this returns.
  ///
  /// @throws AdministrationException with [AdministrationException.Reason#NOT_FOUND] if no key has
  ///   this id
  ApiKey revokeKey(String id) throws AdministrationException, InterruptedException;

  /// The state of the hub now.
  HubStatus status() throws AdministrationException, InterruptedException;

  /// Accepts that the wall clock stepped: pruning goes on.
  ///
  /// @return whether a step waited to be accepted
  boolean acceptClock() throws AdministrationException, InterruptedException;

  /// Passes over a log record that cannot be applied.
  ///
  /// @param position as `status` names it
  void skip(String position, String reason) throws AdministrationException, InterruptedException;

  /// The records of a tenant that match, in order of seq. A slow sink holds no database.
  ///
  /// @return the seq to continue from: nothing before it matches and was not given to the sink
  /// @throws AdministrationException with [AdministrationException.Reason#NOT_FOUND] if there is no
  ///   such tenant
  long records(String tenant, EventFilter filter, TenantReader.Sink<StoredEvent> sink)
      throws AdministrationException, InterruptedException;

  /// Waits until the tenant has a record with a seq of at least `seq`.
  ///
  /// @return whether it was in time
  boolean awaitSeq(String tenant, long seq, Duration timeout)
      throws AdministrationException, InterruptedException;

  /// All sources of a tenant, or the one named.
  List<SourceState> sources(String tenant, @Nullable String source)
      throws AdministrationException, InterruptedException;

  /// Reads every record of the log and names what is damaged.
  LogCheck verifyLog() throws AdministrationException, IOException, InterruptedException;

  /// What `verify log` found.
  ///
  /// @param records that were read and are sound
  /// @param bytes of these records
  /// @param faults one line each; none if the log is sound
  record LogCheck(long records, long bytes, int segments, List<String> faults) {
    public LogCheck {
      faults = List.copyOf(faults);
    }
  }
}
