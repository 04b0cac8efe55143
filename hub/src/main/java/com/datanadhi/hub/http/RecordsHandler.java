package com.datanadhi.hub.http;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.query.Pages;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.query.RecordPage;
import com.datanadhi.hub.query.Shares;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.EventLine;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// `GET /v1/records`: records as NDJSON, a page at a time, as fast as the reader takes them.
final class RecordsHandler implements RouteHandler {
  /// How often a reader that waits looks whether the hub is being stopped.
  static final Duration SLICE = Duration.ofMillis(500);

  private static final byte[] HEARTBEAT = {'\n'};

  private final Shares readers;
  private final Pages pages;

  RecordsHandler(int maxReaders, Pages pages) {
    this.pages = pages;
    this.readers = new Shares(maxReaders);
  }

  @Override
  public void handle(Exchange exchange)
      throws ProblemException, ViewException, IOException, InterruptedException {
    String tenant = exchange.tenant();
    QueryParameters query = exchange.query("from", "limit", "pipeline", "since", "until", "follow");
    boolean follow = query.flag("follow");
    if (follow && query.has("until")) {
      throw QueryParameters.bad(
          "The query parameters `follow` and `until` exclude each other. Send one of them.");
    }
    // Without a limit, a reader that follows does not end.
    long limit =
        follow && !query.has("limit")
            ? Long.MAX_VALUE
            : query.number("limit", Limits.DEFAULT_LIMIT, 1, Limits.MAX_LIMIT);
    Reading reading =
        new Reading(
            exchange,
            tenant,
            new EventFilter(
                query.number("from", 1, 1, Limits.MAX_NUMBER),
                0,
                query.text("pipeline"),
                query.time("since"),
                query.time("until")),
            limit);
    if (!readers.acquire(tenant, 1, Duration.ZERO)) {
      throw tooManyReaders();
    }
    try {
      reading.run(follow);
    } finally {
      readers.release(tenant, 1);
    }
  }

  static ProblemException tooManyReaders() {
    return new ProblemException(
        Problem.unavailable("The hub serves as many readers as it can. Try again later."));
  }

  /// One answer.
  private final class Reading {
    private final Exchange exchange;
    private final String tenant;
    private final EventFilter filter;
    private long from;
    private long left;
    private boolean begun;
    private JsonText lines = new JsonText(Limits.PAGE);

    Reading(Exchange exchange, String tenant, EventFilter filter, long limit) {
      this.exchange = exchange;
      this.tenant = tenant;
      this.filter = filter;
      this.from = filter.from();
      this.left = limit;
    }

    void run(boolean follow)
        throws ProblemException, ViewException, IOException, InterruptedException {
      boolean more = page();
      while (more || (follow && left > 0 && !exchange.isHead() && awaitMore())) {
        more = page();
      }
      begin();
      if (exchange.isHead()) {
        exchange.end();
      } else {
        exchange.write(true, new byte[0]);
        exchange.end();
      }
    }

    /// Reads a page and writes its records.
    ///
    /// @return whether there is another one
    private boolean page()
        throws ProblemException, ViewException, IOException, InterruptedException {
      EventFilter rest =
          new EventFilter(
              from,
              (int) Math.min(left, Limits.MAX_LIMIT),
              filter.pipeline(),
              filter.since(),
              filter.until());
      Pages.Held<RecordPage<EventLine>> held;
      try {
        held =
            pages.read(
                tenant,
                exchange.settings().heartbeat(),
                RecordPage::bytes,
                () -> exchange.services().records().records(tenant, rest));
      } catch (InvalidQueryException e) {
        throw QueryParameters.bad(Problem.sentence(String.valueOf(e.getMessage())));
      }
      if (held == null) {
        throw tooManyReaders();
      }
      try (held) {
        RecordPage<EventLine> page = held.page();
        if (exchange.isHead()) {
          return false;
        }
        begin();
        write(page.records());
        from = page.next();
        left -= page.records().size();
        return page.more() && left > 0;
      }
    }

    private void begin() {
      if (!begun) {
        begun = true;
        exchange.begin(200, LogHandler.NDJSON);
      }
    }

    private void write(List<EventLine> records) throws IOException, InterruptedException {
      for (EventLine record : records) {
        RecordLine.add(lines, record);
        if (lines.length() >= Limits.PAGE) {
          writeLines();
        }
      }
      if (lines.length() > 0) {
        writeLines();
      }
    }

    private void writeLines() throws IOException, InterruptedException {
      exchange.write(false, lines.buffer());
      lines = lines.length() > 2 * Limits.PAGE ? new JsonText(Limits.PAGE) : lines.clear();
    }

    /// @return whether there is a record to read; false at a shutdown, which ends the answer like
    ///   any other
    private boolean awaitMore() throws ProblemException, IOException, InterruptedException {
      long lastBeat = exchange.nanoTime();
      // The head of the answer tells the reader that it is connected.
      exchange.write(false, new byte[0]);
      while (!exchange.isStopping()) {
        boolean hasMore = exchange.services().records().awaitSeq(tenant, from, SLICE);
        // The key can be revoked while the answer goes on.
        String _ = exchange.tenant();
        if (hasMore) {
          return true;
        }
        if (exchange.nanoTime() - lastBeat > exchange.settings().heartbeat().toNanos()) {
          exchange.write(false, HEARTBEAT);
          lastBeat = exchange.nanoTime();
        }
      }
      return false;
    }
  }
}
