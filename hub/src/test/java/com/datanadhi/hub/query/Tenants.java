package com.datanadhi.hub.query;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.apply.AppliedPositions;
import com.datanadhi.hub.apply.ItemWatchers;
import com.datanadhi.hub.control.Cursors;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;

/// Real databases of tenants for tests, which store what the test says without a log: each
/// transaction is one offset. Cursors are a plain map.
public final class Tenants implements AutoCloseable {
  public final TenantDatabases databases;
  public final Map<String, String> unapplied = new ConcurrentHashMap<>();
  public final Set<String> parked = ConcurrentHashMap.newKeySet();

  /// Whose mailbox was asked for.
  public final Set<String> behind = ConcurrentHashMap.newKeySet();

  private final ItemWatchers watchers = new ItemWatchers();
  private final Map<String, Long> cursors = new ConcurrentHashMap<>();
  private final Map<String, Long> seqs = new HashMap<>();
  private final Map<String, Long> offsets = new HashMap<>();

  public Tenants(Path directory) {
    databases = new TenantDatabases(directory, 64);
  }

  public Queries queries() {
    return new Queries(
        databases,
        new Positions(),
        new MapCursors(),
        (tenant, key) -> unapplied.get(tenant + "/" + key),
        parked::contains);
  }

  private final class Positions implements AppliedPositions {
    @Override
    public boolean awaitApplied(String tenant, String stream, long offset, Duration timeout)
        throws InterruptedException {
      return await(offsets, tenant, offset, timeout);
    }

    @Override
    public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
      return await(seqs, tenant, seq, timeout);
    }

    @Override
    public void followMailbox(String tenant) {
      behind.add(tenant);
    }

    @Override
    public ItemWatchers.Watch watchItems(String tenant, String pipeline) {
      return watchers.watch(tenant, pipeline);
    }
  }

  private synchronized boolean await(
      Map<String, Long> positions, String tenant, long position, Duration timeout)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (positions.getOrDefault(tenant, -1L) < position) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return true;
  }

  private final class MapCursors implements Cursors {
    @Override
    public void move(String tenant, String pipeline, String consumer, long through) {
      cursors.put(tenant + "/" + pipeline + "/" + consumer, through);
    }

    @Override
    public long through(String tenant, String pipeline, String consumer) {
      return cursors.getOrDefault(tenant + "/" + pipeline + "/" + consumer, 0L);
    }
  }

  /// Stores one transaction, received at `seq` seconds after 1970, with a record for each text.
  public void store(String tenant, String key, List<String> pipelines, String... logData)
      throws ViewException, InterruptedException {
    List<RecordData> records =
        List.of(logData).stream()
            .map(text -> new RecordData(pipelines, text.getBytes(UTF_8)))
            .toList();
    storeEvents(tenant, key, records);
    storeItems(tenant);
  }

  /// As [#store], but mailbox.db does not follow.
  public void storeEvents(String tenant, String key, List<RecordData> records)
      throws ViewException, InterruptedException {
    ViewState after =
        databases.write(
            tenant,
            writer -> {
              ViewState before = writer.state();
              long first = before.seq() + 1;
              long offset = before.appliedOffset() + 1;
              long receivedAt = first * 1000;
              String position = "0123abcd/events-0:" + offset;
              Content content = Digests.content(records);
              for (int i = 0; i < records.size(); i++) {
                RecordData record = records.get(i);
                writer.insertEvent(
                    new StoredEvent(
                        first + i,
                        key,
                        i + 1,
                        receivedAt,
                        position,
                        JsonMapper.shared().writeValueAsString(record.pipelines()),
                        record.logData(),
                        Digests.content(List.of(record)).digest(),
                        "fsync"));
              }
              writer.putApplied(
                  new AppliedTransaction(
                      key, content, first, records.size(), receivedAt, position, "fsync"));
              SourceKey source = SourceKey.parse(key);
              if (source != null) {
                writer.addNumber(source.source(), source.number(), receivedAt);
              }
              ViewState state =
                  state(before, before.keysForgottenBefore(), offset, first + records.size() - 1);
              writer.saveState(state);
              return state;
            });
    synchronized (this) {
      seqs.put(tenant, after.seq());
      offsets.put(tenant, after.appliedOffset());
      notifyAll();
    }
  }

  /// Lets mailbox.db follow.
  public void storeItems(String tenant) throws ViewException, InterruptedException {
    long from = databases.readMailbox(tenant, reader -> reader.appliedSeq()) + 1;
    for (StoredEvent event : queries().records(tenant, Filters.from(from)).records()) {
      List<String> pipelines =
          List.of(JsonMapper.shared().readValue(event.pipelines(), String[].class));
      databases.writeMailbox(
          tenant,
          writer -> {
            writer.addItems(event.seq(), pipelines);
            writer.setAppliedSeq(event.seq());
            return true;
          });
      watchers.arrived(tenant, pipelines);
    }
  }

  /// Forgets all keys that are stored now.
  public void forgetKeys(String tenant) throws ViewException, InterruptedException {
    databases.write(
        tenant,
        writer -> {
          ViewState before = writer.state();
          writer.saveState(
              state(before, before.lastReceivedAt() + 1, before.appliedOffset(), before.seq()));
          return true;
        });
  }

  /// Removes the records before `seq` from the view.
  public void expire(String tenant, long seq) throws ViewException, InterruptedException {
    databases.write(
        tenant,
        writer -> {
          writer.deleteEventsBefore(seq, writer.state().chain(), Map.of());
          return true;
        });
    databases.writeMailbox(
        tenant,
        writer -> {
          writer.deleteItemsBefore(seq);
          return true;
        });
  }

  private static ViewState state(ViewState before, long forgottenBefore, long offset, long seq) {
    return new ViewState(
        before.tenant(),
        "0123abcd-0000-0000-0000-000000000000",
        before.stream(),
        offset,
        seq,
        before.chain(),
        before.firstSeq(),
        before.chainBeforeFirst(),
        seq * 1000,
        forgottenBefore,
        offset + 1,
        0,
        0,
        0);
  }

  @Override
  public void close() {
    databases.close();
  }
}
