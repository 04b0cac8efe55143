package com.datanadhi.hub.http;

import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.query.PipelinePage;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.query.RecordPage;
import com.datanadhi.hub.query.SeqRange;
import com.datanadhi.hub.query.SourceReport;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.EventLine;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the door reads; see [Queries]. Thread-safe; calls block.
public interface RecordSource {
  /// The first records that match: a page.
  RecordPage<EventLine> records(String tenant, EventFilter filter)
      throws ViewException, InterruptedException;

  /// Waits until the tenant has a record with a seq of at least `seq`.
  ///
  /// @return whether it was in time
  boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException;

  /// Waits until a transaction that intake has stored can be read; null if it was not in time.
  @Nullable SeqRange awaitApplied(String tenant, String key, long offset, Duration timeout)
      throws ViewException, InterruptedException;

  /// What is known of a key, or null if it is not known.
  Queries.@Nullable ReceiptState receipt(String tenant, String key)
      throws ViewException, InterruptedException;

  /// All sources of a tenant, or the one named.
  List<SourceReport> sourceReports(String tenant, @Nullable String source)
      throws ViewException, InterruptedException;

  /// The next records of a pipeline after the consumer's cursor.
  PipelinePage page(String tenant, String pipeline, String consumer, int limit, Duration wait)
      throws ViewException, InvalidQueryException, InterruptedException;

  /// Moves a consumer's cursor, durably.
  void moveCursor(String tenant, String pipeline, String consumer, long through)
      throws ViewException,
          InvalidQueryException,
          ControlUnavailableException,
          InterruptedException;

  /// The source that is the hub's queries.
  static RecordSource of(Queries queries) {
    return new QueriesSource(queries);
  }
}
