package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// All that applies, on one directory, driven a turn at a time.
final class Hub implements AutoCloseable {
  static final String STREAM = "events-0";

  final Path tenants;
  final MemoryLog log;
  final Decided decided;
  final TestClock clock;
  final TenantDatabases databases;
  final ApplyLoop loop;
  final Recovery recovery;
  final MailboxFollower mailboxes;
  final SegmentRetention retention;
  final Checkpointer checkpointer;
  final List<String> told = new ArrayList<>();

  /// The offset before which everything that is stored is archived.
  long archivedThrough = Long.MAX_VALUE;

  Hub(Path directory, MemoryLog log, Decided decided, TestClock clock) {
    this.log = log;
    this.decided = decided;
    this.clock = clock;
    tenants = directory.resolve("tenants");
    databases = new TenantDatabases(tenants, 32);
    mailboxes = new MailboxFollower(databases, tenant -> {});
    AppliedThroughFile file = new AppliedThroughFile(directory.resolve("applied-through"));
    loop =
        new ApplyLoop(
            log,
            STREAM,
            databases,
            decided,
            (tenant, stream, offset, keys, bytes) -> keys.forEach(k -> told.add(tenant + " " + k)),
            mailboxes,
            file,
            directory.resolve("quarantine"),
            clock);
    recovery = new Recovery(loop, databases, TenantBase.NONE);
    retention =
        new SegmentRetention(
            log,
            loop,
            () -> archivedThrough,
            Duration.ofHours(24),
            Long.MAX_VALUE,
            () -> false,
            clock);
    checkpointer = new Checkpointer(loop, log, STREAM, databases, mailboxes, file, retention);
  }

  /// Applies until nothing is left to do now.
  void drain() throws InterruptedException {
    boolean isBusy = true;
    while (isBusy) {
      isBusy = loop.turn() == ApplyLoop.Turn.WORKED;
      isBusy |= recovery.turn();
    }
  }

  void follow() throws InterruptedException {
    while (mailboxes.turn()) {
      // One tenant a turn.
    }
  }

  ViewState state(String tenant) throws Exception {
    return databases.read(tenant, reader -> reader.state());
  }

  List<String> dump(String tenant) throws Exception {
    return Dump.all(Dump.canonical(tenants, tenant));
  }

  static long append(MemoryLog log, String tenant, String key, String logData) {
    return append(log, tenant, key, logData, 1_700_000_000_000L);
  }

  static long append(MemoryLog log, String tenant, String key, String logData, long time) {
    List<RecordData> records = List.of(new RecordData(List.of("p"), logData.getBytes(UTF_8)));
    return log.append(
        EventBody.TRANSACTIONS,
        time,
        EventCodec.encode(
            new EventBody(
                Duration.ofDays(30).toMillis(),
                "fsync",
                List.of(new Transaction(tenant, key, Digests.content(records), records)))));
  }

  @Override
  public void close() {
    databases.close();
  }
}
