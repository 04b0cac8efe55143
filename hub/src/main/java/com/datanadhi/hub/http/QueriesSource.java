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

/// The hub's queries.
record QueriesSource(Queries queries) implements RecordSource {
  @Override
  public RecordPage<EventLine> records(String tenant, EventFilter filter)
      throws ViewException, InterruptedException {
    return queries.lines(tenant, filter);
  }

  @Override
  public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
    return queries.awaitSeq(tenant, seq, timeout);
  }

  @Override
  public @Nullable SeqRange awaitApplied(String tenant, String key, long offset, Duration timeout)
      throws ViewException, InterruptedException {
    return queries.awaitApplied(tenant, key, offset, timeout);
  }

  @Override
  public Queries.@Nullable ReceiptState receipt(String tenant, String key)
      throws ViewException, InterruptedException {
    return queries.receipt(tenant, key);
  }

  @Override
  public List<SourceReport> sourceReports(String tenant, @Nullable String source)
      throws ViewException, InterruptedException {
    return queries.sourceReports(tenant, source);
  }

  @Override
  public PipelinePage page(
      String tenant, String pipeline, String consumer, int limit, Duration wait)
      throws ViewException, InvalidQueryException, InterruptedException {
    return queries.page(tenant, pipeline, consumer, limit, wait);
  }

  @Override
  public void moveCursor(String tenant, String pipeline, String consumer, long through)
      throws ViewException,
          InvalidQueryException,
          ControlUnavailableException,
          InterruptedException {
    queries.moveCursor(tenant, pipeline, consumer, through);
  }
}
