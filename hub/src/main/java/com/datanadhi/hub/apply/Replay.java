package com.datanadhi.hub.apply;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantWriter;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Puts records of the archive into a tenant's database. They are decided already: each is stored
/// under the seq that it has, and nothing is a duplicate. Records are taken one at a time, and
/// committed some thousand at a time, whole transactions together, in a thread of its own while the
/// caller adds the items of those before to the mailbox and reads the next ones; [#finish] commits
/// the rest. Not thread-safe.
public final class Replay implements AutoCloseable {
  private static final int BATCH_RECORDS = 5_000;
  private static final long BATCH_BYTES = 8L << 20;

  private final TenantDatabases databases;
  private final String tenant;
  private final Meaning meaning;
  private final @Nullable MailboxFollower mailboxes;
  private final PipelineNames names = new PipelineNames();
  private final ExecutorService storing =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("replay").daemon().factory());
  private List<StoredEvent> batch = new ArrayList<>();
  private long batchBytes;
  private @Nullable String epoch;

  // Of the last transaction of one record. Used by the thread that stores.
  private @Nullable List<String> lastPipelines;
  private String lastPipelinesDigest = "";

  /// Gives the items of what it stores.
  private @Nullable Future<List<MailboxFollower.Item>> stored;

  /// What records mean beyond being stored, as those of `_control` do.
  @FunctionalInterface
  public interface Meaning {
    /// Puts it into the same transaction.
    void put(TenantWriter writer, StoredEvent event, Position position);
  }

  /// A record does not continue what the database has. The message says where.
  public static final class GapException extends RuntimeException {
    private static final long serialVersionUID = 1;

    GapException(String message) {
      super(message);
    }
  }

  /// @param mailboxes where the items of most records are added, if the mailbox ends where these
  ///   begin; null to add none
  public Replay(
      TenantDatabases databases,
      String tenant,
      Meaning meaning,
      @Nullable MailboxFollower mailboxes) {
    this.databases = databases;
    this.tenant = tenant;
    this.meaning = meaning;
    this.mailboxes = mailboxes;
  }

  /// Takes the next record. What was taken before is committed when it is much.
  ///
  /// @param epochOfLog of its log record
  /// @throws GapException the seq of a record taken before was not the next one of the database
  /// @throws ViewException the database cannot be written
  public void add(StoredEvent event, String epochOfLog) throws ViewException, InterruptedException {
    if (event.part() == 1 && (batch.size() >= BATCH_RECORDS || batchBytes >= BATCH_BYTES)) {
      commit();
    }
    batch.add(event);
    epoch = epochOfLog;
    batchBytes += event.bytes();
  }

  /// Commits what was taken. The last transaction is whole.
  ///
  /// @throws GapException the seq of a record is not the next one of the database
  /// @throws ViewException the database cannot be written
  public void finish() throws ViewException, InterruptedException {
    if (!batch.isEmpty()) {
      commit();
    }
    List<MailboxFollower.Item> _ = awaitStored();
  }

  /// Waits for the commit that is being made. What was taken and not committed is dropped.
  @Override
  public void close() {
    storing.close();
  }

  private void commit() throws ViewException, InterruptedException {
    List<MailboxFollower.Item> committed = awaitStored();
    List<StoredEvent> events = batch;
    String epochOfLast = epoch;
    batch = new ArrayList<>(events.size());
    batchBytes = 0;
    stored =
        storing.submit(() -> databases.write(tenant, writer -> store(writer, events, epochOfLast)));
    if (mailboxes != null && !committed.isEmpty()) {
      mailboxes.add(tenant, committed);
    }
  }

  /// @return the items of what was being stored
  private List<MailboxFollower.Item> awaitStored() throws ViewException, InterruptedException {
    if (stored == null) {
      return List.of();
    }
    try {
      List<MailboxFollower.Item> items = stored.get();
      stored = null;
      return items;
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case ViewException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(failed);
      }
    }
  }

  private List<MailboxFollower.Item> store(
      TenantWriter writer, List<StoredEvent> events, @Nullable String epochOfLast) {
    ViewState before = writer.state();
    History history = new History(writer, before);
    long logRecords = 0;
    @Nullable Position last = lastPosition(writer, before);
    for (int from = 0; from < events.size(); ) {
      StoredEvent first = events.get(from);
      if (first.seq() != history.seq() + 1 || first.part() != 1) {
        throw new GapException(
            "tenant "
                + tenant
                + ": the record with seq "
                + first.seq()
                + ", part "
                + first.part()
                + " of its transaction, cannot follow seq "
                + history.seq());
      }
      int to = from + 1;
      while (to < events.size() && events.get(to).part() > 1) {
        to++;
      }
      Position position = position(first);
      store(history, events.subList(from, to));
      for (StoredEvent event : events.subList(from, to)) {
        meaning.put(writer, event, position);
      }
      if (!position.equals(last)) {
        logRecords++;
        last = position;
      }
      from = to;
    }
    StoredEvent newest = events.getLast();
    writer.saveState(
        new ViewState(
            before.tenant(),
            epochOfLast,
            before.stream(),
            last == null ? before.appliedOffset() : last.offset(),
            history.seq(),
            history.chain(),
            before.firstSeq(),
            before.chainBeforeFirst(),
            newest.receivedAt(),
            before.keysForgottenBefore(),
            before.stored() + logRecords,
            before.duplicates(),
            before.conflicts(),
            before.skipped()));
    return events.stream()
        .map(e -> new MailboxFollower.Item(e.seq(), names.of(e.pipelines())))
        .toList();
  }

  /// The log record of which the database has its last record, or null. An upload is one log record
  /// with many transactions, which can be in several batches.
  private static @Nullable Position lastPosition(TenantWriter writer, ViewState state) {
    @Nullable Position[] last = {null};
    writer.events(
        new EventFilter(state.seq(), 1, null, null, null),
        event -> {
          last[0] = Position.parse(event.position());
          return false;
        });
    return last[0];
  }

  private void store(History history, List<StoredEvent> parts) {
    StoredEvent first = parts.getFirst();
    List<RecordData> records = new ArrayList<>(parts.size());
    List<String> digests = new ArrayList<>(parts.size());
    for (StoredEvent part : parts) {
      records.add(new RecordData(names.of(part.pipelines()), part.logData()));
      digests.add(part.sha256());
    }
    Content content = new Content(Digests.transaction(digests), pipelinesDigest(records));
    var _ =
        history.store(
            new Transaction(tenant, first.key(), content, records),
            SourceKey.parse(first.key()),
            first.position(),
            first.receivedAt(),
            first.durability());
  }

  private String pipelinesDigest(List<RecordData> records) {
    if (records.size() > 1) {
      return Digests.pipelines(records);
    }
    List<String> pipelines = records.getFirst().pipelines();
    if (!pipelines.equals(lastPipelines)) {
      lastPipelinesDigest = Digests.pipelines(records);
      lastPipelines = pipelines;
    }
    return lastPipelinesDigest;
  }

  private Position position(StoredEvent event) {
    Position position = Position.parse(event.position());
    if (position == null) {
      throw new GapException(
          "tenant " + tenant + ": the record with seq " + event.seq() + " has no position");
    }
    return position;
  }
}
