package com.datanadhi.hub.query;

import com.datanadhi.hub.apply.AppliedPositions;
import com.datanadhi.hub.apply.ItemWatchers;
import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.control.Cursors;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.EventLine;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.PipelineItem;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.StoredPayload;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What readers ask for. Thread-safe; calls block, so they are made on virtual threads.
///
/// Rows are read in pages of at most [#PAGE_ROWS] and about [#PAGE_BYTES], each on a snapshot of
/// its own: a slow reader holds no snapshot, so it does not block checkpoints.
///
/// A tenant whose database is not there yet has no records. While a database is parked or rebuilt,
/// every method that reads it throws [ViewException] of kind UNAVAILABLE, because an answer from a
/// part of the records would look like a loss.
public final class Queries {
  /// Rows of a page at most.
  public static final int PAGE_ROWS = 1_000;

  /// Bytes of `log_data` after which a page ends; it has at least one record.
  public static final long PAGE_BYTES = 1 << 20;

  /// The longest time that [#page] waits.
  public static final Duration MAX_WAIT = Duration.ofSeconds(30);

  private static final String EVENTS = "events-0";

  /// A cursor can be moved back, and a mailbox.db deleted, without an item that arrives.
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final TenantDatabases views;
  private final AppliedPositions applied;
  private final Cursors cursors;
  private final UnappliedKeys unapplied;
  private final Predicate<String> parked;

  /// @param parked whether a tenant's database is set aside or being rebuilt
  public Queries(
      TenantDatabases views,
      AppliedPositions applied,
      Cursors cursors,
      UnappliedKeys unapplied,
      Predicate<String> parked) {
    this.views = views;
    this.applied = applied;
    this.cursors = cursors;
    this.unapplied = unapplied;
    this.parked = parked;
  }

  /// The records that match, in order of seq. No snapshot is held while the sink works.
  ///
  /// @return the seq to continue from: nothing before it matches and was not given to the sink
  public long records(String tenant, EventFilter filter, TenantReader.Sink<StoredEvent> sink)
      throws ViewException, InterruptedException {
    EventFilter rest = filter;
    while (rest.limit() > 0) {
      RecordPage<StoredEvent> page = records(tenant, rest);
      for (StoredEvent event : page.records()) {
        if (!sink.accept(event)) {
          return event.seq() + 1;
        }
      }
      rest = from(rest, page.next(), rest.limit() - page.records().size());
      if (!page.more()) {
        return page.next();
      }
    }
    return rest.from();
  }

  /// The first records that match: a page.
  public RecordPage<StoredEvent> records(String tenant, EventFilter filter)
      throws ViewException, InterruptedException {
    return page(tenant, filter, TenantReader::events);
  }

  /// The same as lines, for which less is read.
  public RecordPage<EventLine> lines(String tenant, EventFilter filter)
      throws ViewException, InterruptedException {
    return page(tenant, filter, TenantReader::lines);
  }

  private interface Scan<R> {
    void run(TenantReader reader, EventFilter filter, TenantReader.Sink<R> sink);
  }

  private <R extends StoredPayload> RecordPage<R> page(
      String tenant, EventFilter filter, Scan<R> scan) throws ViewException, InterruptedException {
    long from = Math.max(1, filter.from());
    int limit = Math.min(filter.limit(), PAGE_ROWS);
    if (isEmpty(tenant) || limit <= 0) {
      return new RecordPage<>(List.of(), from, limit <= 0);
    }
    return views.read(
        tenant,
        reader -> {
          PageSink<R> sink = new PageSink<>();
          scan.run(reader, from(filter, from, limit), sink);
          boolean more = sink.isFull() || sink.rows.size() == limit;
          long next =
              more ? sink.rows.getLast().seq() + 1 : Math.max(from, reader.state().seq() + 1);
          return new RecordPage<>(sink.rows, next, more);
        });
  }

  private static EventFilter from(EventFilter filter, long from, int limit) {
    return new EventFilter(from, limit, filter.pipeline(), filter.since(), filter.until());
  }

  /// Collects rows up to the bytes of a page.
  private static final class PageSink<R extends StoredPayload> implements TenantReader.Sink<R> {
    final List<R> rows = new ArrayList<>();
    private long bytes;

    @Override
    public boolean accept(R row) {
      rows.add(row);
      bytes += row.bytes();
      return !isFull();
    }

    boolean isFull() {
      return bytes >= PAGE_BYTES;
    }
  }

  /// Waits until the tenant has a record with a seq of at least `seq`.
  ///
  /// @return whether it was in time
  public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
    return applied.awaitSeq(tenant, seq, timeout);
  }

  /// Waits until a transaction that intake has stored can be read.
  ///
  /// @param offset of its log record, or -1 if it was applied before
  /// @return the seqs of its records; null if it was not in time, or if they are not known because
  ///   the key is beyond the horizon or applying found a conflict
  public @Nullable SeqRange awaitApplied(String tenant, String key, long offset, Duration timeout)
      throws ViewException, InterruptedException {
    if (offset >= 0 && !applied.awaitApplied(tenant, EVENTS, offset, timeout)) {
      return null;
    }
    ReceiptState state = receipt(tenant, key);
    return state == null || state.seq() == null
        ? null
        : new SeqRange(state.seq(), state.seq() + state.records() - 1);
  }

  /// What is known of a key, or null if it is not known.
  public @Nullable ReceiptState receipt(String tenant, String key)
      throws ViewException, InterruptedException {
    // In this order: a key that is applied in between is found in the view.
    String digest = unapplied.digest(tenant, key);
    ReceiptState state = isEmpty(tenant) ? null : appliedReceipt(tenant, key);
    if (state != null && (state.sha256() != null || digest == null)) {
      return state;
    }
    return digest == null ? null : new ReceiptState(tenant, key, digest, null, 0, null, null);
  }

  private @Nullable ReceiptState appliedReceipt(String tenant, String key)
      throws ViewException, InterruptedException {
    // An empty list stands for an unknown key, because the result of a reading is never null.
    List<ReceiptState> found =
        views.read(
            tenant,
            reader -> {
              AppliedTransaction row = reader.applied(List.of(key)).get(key);
              if (row != null) {
                return List.of(
                    new ReceiptState(
                        tenant,
                        key,
                        row.content().digest(),
                        row.firstSeq(),
                        row.records(),
                        row.position(),
                        row.receivedAt()));
              }
              return isStoredNumber(reader, key)
                  ? List.of(new ReceiptState(tenant, key, null, null, 0, null, null))
                  : List.of();
            });
    return found.isEmpty() ? null : found.getFirst();
  }

  private static boolean isStoredNumber(TenantReader reader, String key) {
    SourceKey parts = SourceKey.parse(key);
    return parts != null
        && reader.intervals(parts.source()).stream()
            .anyMatch(i -> i.first() <= parts.number() && parts.number() <= i.last());
  }

  /// What is known of a key.
  ///
  /// @param sha256 null beyond the key horizon, as are `seq`, `receivedAt` and `position`
  /// @param seq of the first record; null until applied
  /// @param records 0 if unknown
  public record ReceiptState(
      String tenant,
      String key,
      @Nullable String sha256,
      @Nullable Long seq,
      int records,
      @Nullable String position,
      @Nullable Long receivedAt) {}

  /// All sources of a tenant, or the one named.
  public List<SourceState> sources(String tenant, @Nullable String source)
      throws ViewException, InterruptedException {
    return isEmpty(tenant) ? List.of() : views.read(tenant, reader -> reader.sources(source));
  }

  /// All sources of a tenant, or the one named, with what is missing.
  public List<SourceReport> sourceReports(String tenant, @Nullable String source)
      throws ViewException, InterruptedException {
    return sources(tenant, source).stream().map(SourceReport::of).toList();
  }

  /// How far the tenant's database is, or null if it has none.
  public @Nullable ViewState state(String tenant) throws ViewException, InterruptedException {
    return isEmpty(tenant) ? null : views.read(tenant, TenantReader::state);
  }

  private boolean isEmpty(String tenant) throws ViewException, InterruptedException {
    boolean exists = views.exists(tenant);
    // A tenant that had records and has no database lost its file: an empty answer would be wrong.
    if (parked.test(tenant) || (!exists && applied.awaitSeq(tenant, 1, Duration.ZERO))) {
      throw new ViewException(
          ViewException.Kind.UNAVAILABLE,
          "the database of the tenant " + tenant + " is being rebuilt from the log: try again",
          null);
    }
    return !exists;
  }

  /// The next records of a pipeline after the consumer's cursor: at most `limit`, and at most
  /// [#PAGE_ROWS] and about [#PAGE_BYTES]. If there are none, waits for some.
  ///
  /// @param pipeline any name; one that no record has is empty
  /// @param consumer a name by the rule for tenants; an unknown one begins at the first record
  /// @param limit at least 1
  /// @param wait 0 to [#MAX_WAIT]
  /// @throws InvalidQueryException a value is out of its range
  public PipelinePage page(
      String tenant, String pipeline, String consumer, int limit, Duration wait)
      throws ViewException, InvalidQueryException, InterruptedException {
    checkConsumer(consumer);
    if (limit < 1) {
      throw new InvalidQueryException("limit is " + limit + ": it must be at least 1");
    }
    if (wait.isNegative() || wait.compareTo(MAX_WAIT) > 0) {
      throw new InvalidQueryException("wait is not between 0 and " + MAX_WAIT.toSeconds() + " s");
    }
    long deadline = Clock.system().nanoTime() + wait.toNanos();
    try (ItemWatchers.Watch items = applied.watchItems(tenant, pipeline)) {
      while (true) {
        Mailbox mailbox = mailbox(tenant, pipeline, consumer, Math.min(limit, PAGE_ROWS));
        PipelinePage page = join(tenant, mailbox);
        if (!page.records().isEmpty()) {
          return page;
        }
        boolean _ = isMailboxBehind(tenant, mailbox.seq());
        Duration left = Duration.ofNanos(deadline - Clock.system().nanoTime());
        if (!left.isPositive()) {
          return page;
        }
        boolean _ = items.await(left.compareTo(LOOK_AGAIN) < 0 ? left : LOOK_AGAIN);
      }
    }
  }

  /// Whether items are missing that are made from records that are stored. If so, they are made
  /// soon: nobody else notices a mailbox.db that was deleted while nothing is stored.
  private boolean isMailboxBehind(String tenant, long seq)
      throws ViewException, InterruptedException {
    boolean isBehind = !isEmpty(tenant) && views.read(tenant, r -> r.state().seq()) > seq;
    if (isBehind) {
      applied.followMailbox(tenant);
    }
    return isBehind;
  }

  /// What mailbox.db has after a cursor.
  ///
  /// @param first the first n that is still there
  /// @param seq up to which the items are
  private record Mailbox(long cursor, long first, long seq, List<PipelineItem> items) {}

  private Mailbox mailbox(String tenant, String pipeline, String consumer, int limit)
      throws ViewException, InterruptedException {
    long cursor = cursors.through(tenant, pipeline, consumer);
    if (isEmpty(tenant)) {
      return new Mailbox(cursor, cursor + 1, 0, List.of());
    }
    return views.readMailbox(
        tenant,
        reader -> {
          List<PipelineItem> items = new ArrayList<>();
          reader.items(pipeline, cursor, limit, items::add);
          return new Mailbox(cursor, reader.firstItem(pipeline), reader.appliedSeq(), items);
        });
  }

  private PipelinePage join(String tenant, Mailbox mailbox)
      throws ViewException, InterruptedException {
    long first = mailbox.first();
    List<PipelineRecord> records =
        mailbox.items().isEmpty()
            ? List.of()
            : views.read(tenant, reader -> records(reader, mailbox.items()));
    // Between the two readings the records of the first items can have left.
    if (!records.isEmpty()) {
      first = Math.max(first, records.getFirst().n());
    }
    long cursor = mailbox.cursor();
    return new PipelinePage(
        records, cursor, first > cursor + 1 ? new Interval(cursor + 1, first - 1) : null);
  }

  /// The records of the items, up to the bytes of a page. Items with consecutive seqs are read by
  /// one statement.
  private static List<PipelineRecord> records(TenantReader reader, List<PipelineItem> items) {
    List<PipelineRecord> records = new ArrayList<>();
    PageSink<EventLine> sink = new PageSink<>();
    int at = 0;
    while (at < items.size() && !sink.isFull()) {
      int end = at + 1;
      while (end < items.size() && items.get(end).seq() == items.get(end - 1).seq() + 1) {
        end++;
      }
      int begin = sink.rows.size();
      long base = items.get(at).seq();
      reader.lines(new EventFilter(base, end - at, null, null, null), sink);
      for (EventLine line : sink.rows.subList(begin, sink.rows.size())) {
        long place = at + line.seq() - base;
        if (place < end) {
          records.add(new PipelineRecord(items.get((int) place).n(), line));
        }
      }
      at = end;
    }
    return records;
  }

  /// Moves a consumer's cursor, durably: its next records are those after `through`. It can be
  /// moved back.
  ///
  /// @param through 0 to the pipeline's last number
  /// @throws InvalidQueryException a value is out of its range
  public void moveCursor(String tenant, String pipeline, String consumer, long through)
      throws ViewException,
          InvalidQueryException,
          ControlUnavailableException,
          InterruptedException {
    checkConsumer(consumer);
    if (through < 0) {
      throw new InvalidQueryException("through is " + through + ": it must not be negative");
    }
    long last =
        isEmpty(tenant) ? 0 : views.readMailbox(tenant, reader -> reader.lastItem(pipeline));
    if (through > last
        && isMailboxBehind(tenant, views.readMailbox(tenant, MailboxReader::appliedSeq))) {
      throw new ViewException(
          ViewException.Kind.UNAVAILABLE,
          "the mailbox of the tenant " + tenant + " is being brought up: try again",
          null);
    }
    if (through > last) {
      throw new InvalidQueryException(
          "through is "
              + through
              + ", but "
              + (last == 0
                  ? "the pipeline has no record"
                  : "the last record of the pipeline has n = " + last));
    }
    cursors.move(tenant, pipeline, consumer, through);
  }

  private static void checkConsumer(String consumer) throws InvalidQueryException {
    if (!TenantName.isValid(consumer)) {
      throw new InvalidQueryException(
          "the name of a consumer has 1 to 64 of a to z, 0 to 9, _ and -, and begins with a letter"
              + " or a digit");
    }
  }
}
