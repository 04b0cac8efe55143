package com.datanadhi.hub.view;

import com.datanadhi.hub.record.Content;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A consistent view of one tenant's databases. Not thread-safe; valid only within the call of
/// [TenantDatabases#read].
public interface TenantReader {
  ViewState state();

  /// The rows of `applied_events` with these keys that are not forgotten (see
  /// [ViewState#keysForgottenBefore]).
  Map<String, AppliedTransaction> applied(Collection<String> keys);

  /// How many rows of `applied_events` are not forgotten, whatever tenant they name.
  ///
  /// @param fromSeq only those of transactions that begin at this seq or later
  long countKeys(long fromSeq);

  /// Whether this payload is kept as a conflict under `key`.
  boolean hasConflict(String key, Content content);

  /// The stored numbers of a source, in order; empty if it is unknown.
  List<Interval> intervals(String source);

  /// All sources, or the one named.
  List<SourceState> sources(@Nullable String source);

  /// The rows that match, in order of seq. The sink ends the reading by returning false.
  void events(EventFilter filter, Sink<StoredEvent> sink);

  /// The same rows as lines, for which less is read.
  void lines(EventFilter filter, Sink<EventLine> sink);

  /// How many records of each pipeline have left (see [TenantWriter#deleteEventsBefore]).
  Map<String, Long> itemsLeft();

  /// The pipelines of the rows from a seq on, in order of seq, without the records themselves.
  ///
  /// @param from the first seq, included
  /// @param limit how many rows at most
  void pipelines(long from, int limit, Sink<EventPipelines> sink);

  /// The further tables of `_control`.
  ///
  /// @throws IllegalStateException the tenant is another one
  ControlReader control();

  /// Takes rows one at a time. While it does, the snapshot is held, so it does not wait for slow
  /// clients.
  @FunctionalInterface
  interface Sink<T> {
    /// Takes a row.
    ///
    /// @return whether to go on
    boolean accept(T row);
  }
}
