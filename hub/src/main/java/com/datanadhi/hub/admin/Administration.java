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
import java.util.function.Consumer;
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

  /// Checks each tenant's database against itself: SQLite's check, the digest of each record, and
  /// the chain over all that are there.
  ///
  /// @param tenant only this one; null for all, `_control` included
  TenantsCheck verifyTenants(@Nullable String tenant)
      throws AdministrationException, InterruptedException;

  /// Where the tenants stand.
  ///
  /// @param tenant only this one; null for all, `_control` included
  List<TenantHead> tenantHeads(@Nullable String tenant)
      throws AdministrationException, InterruptedException;

  /// The tenant's chain at a seq, computed from its records; null if it has no such record now.
  @Nullable String chainAt(String tenant, long seq)
      throws AdministrationException, InterruptedException;

  /// Takes a snapshot now.
  TakenSnapshot takeSnapshot(String tenant) throws AdministrationException, InterruptedException;

  /// Restores tenants into a scratch directory, and compares them with what the hub has.
  ///
  /// @param tenant only this one; null for a sample
  /// @param sample how many, by chance; 0 for all
  /// @param results takes each result when it is there
  void drill(@Nullable String tenant, int sample, Consumer<DrillResult> results)
      throws AdministrationException, InterruptedException;

  /// What `verify tenants` found.
  ///
  /// @param records that were read
  /// @param faults one line each; none if everything is sound
  record TenantsCheck(long tenants, long records, List<String> faults) {
    public TenantsCheck {
      faults = List.copyOf(faults);
    }
  }

  /// Where a tenant stands.
  ///
  /// @param firstSeq the first seq that is still in SQLite
  /// @param chain after `seq`, in lower-case hex
  /// @param archivedSeq the last seq that the running hub knows to be archived, or -1
  record TenantHead(String tenant, long firstSeq, long seq, String chain, long archivedSeq) {}

  /// A snapshot that was taken.
  ///
  /// @param id the name of its folder
  /// @param seq its last record
  /// @param bytes of its databases
  record TakenSnapshot(String id, long seq, long bytes) {}

  /// What a drill of one tenant found.
  ///
  /// @param seq the last record that was restored and compared
  /// @param bytes that were read from the object store
  /// @param fault what was wrong; null if nothing was
  record DrillResult(String tenant, long seq, long bytes, long millis, @Nullable String fault) {}

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
