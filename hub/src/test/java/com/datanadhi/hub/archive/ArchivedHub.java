package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.log.ManualClock;
import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/// Tenants' databases and an archive in a folder, without a log: each transaction is one offset.
final class ArchivedHub implements AutoCloseable {
  static final String EPOCH = "0123abcd-0000-4000-8000-000000000000";

  /// 2023-11-14T22:13:20Z.
  static final long START = 1_700_000_000_000L;

  final Path objects;
  final FolderStore store;
  final TenantDatabases databases;
  final Map<String, Long> seqs = new ConcurrentHashMap<>();
  final ManualClock clock = new ManualClock();
  final List<String> relations = new ArrayList<>();
  Duration interval = Duration.ZERO;
  private final Path tenants;
  private final Path scratch;
  private long now = START;

  ArchivedHub(Path directory) {
    this(directory, "tenants");
  }

  /// A hub with other databases beside the same archive.
  ArchivedHub(Path directory, String tenants) {
    objects = directory.resolve("objects");
    store = new FolderStore(objects);
    this.tenants = directory.resolve(tenants);
    databases = new TenantDatabases(this.tenants, 64);
    scratch = directory.resolve("scratch");
  }

  Archiver archiver() {
    return archiver(store);
  }

  Archiver archiver(ObjectStore other) {
    return new Archiver(
        other,
        databases,
        () -> seqs,
        scratch,
        interval,
        (tenant, relation, tenantSeq, archiveSeq) ->
            relations.add(tenant + " " + relation + " " + tenantSeq + " " + archiveSeq),
        clock);
  }

  /// The time of what is stored from now on.
  void at(long millis) {
    now = millis;
  }

  long now() {
    return now;
  }

  /// Stores one transaction.
  void store(String tenant, String key, String... logData)
      throws ViewException, InterruptedException {
    store(tenant, key, List.of(logData));
  }

  void store(String tenant, String key, List<String> logData)
      throws ViewException, InterruptedException {
    ViewState after =
        databases.write(
            tenant,
            writer -> {
              ViewState before = writer.state();
              Chain chain = Chain.from(before.chain());
              long offset = before.appliedOffset() + 1;
              long seq = before.seq();
              int part = 0;
              List<String> pipelines = List.of("p", "ü\"");
              for (String text : logData) {
                seq++;
                part++;
                byte[] bytes = text.getBytes(UTF_8);
                writer.insertEvent(
                    new StoredEvent(
                        seq,
                        key,
                        part,
                        now,
                        "0123abcd/events-0:" + offset,
                        JsonMapper.shared().writeValueAsString(pipelines),
                        bytes,
                        Digests.record(bytes),
                        "fsync"));
                chain.add(seq, part, now, key, pipelines, bytes);
              }
              ViewState state =
                  new ViewState(
                      before.tenant(),
                      EPOCH,
                      before.stream(),
                      offset,
                      seq,
                      chain.hex(),
                      before.firstSeq(),
                      before.chainBeforeFirst(),
                      now,
                      before.keysForgottenBefore(),
                      offset + 1,
                      0,
                      0,
                      0);
              writer.saveState(state);
              return state;
            });
    seqs.put(tenant, after.seq());
  }

  ViewState state(String tenant) throws ViewException, InterruptedException {
    return databases.read(tenant, reader -> reader.state());
  }

  /// Changes a tenant's database behind the hub's back.
  void sql(String tenant, String statement) throws Exception {
    try (Stream<Path> files = Files.walk(tenants)) {
      Path file =
          files
              .filter(path -> path.endsWith(Path.of(tenant, "canonical.db")))
              .findAny()
              .orElseThrow();
      try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement change = connection.createStatement()) {
        int _ = change.executeUpdate(statement);
      }
    }
  }

  /// The rows in the database as lines.
  List<String> rows(String tenant) throws ViewException, InterruptedException {
    List<String> rows = new ArrayList<>();
    databases.read(
        tenant,
        reader -> {
          reader.events(
              new EventFilter(1, Integer.MAX_VALUE, null, null, null), row -> rows.add(text(row)));
          return true;
        });
    return rows;
  }

  /// The rows in the archive as lines.
  List<String> archived(String tenant) throws Exception {
    List<String> rows = new ArrayList<>();
    long _ = new ArchiveReader(store).read(tenant, 1, null, row -> rows.add(text(row)));
    return rows;
  }

  private static String text(StoredEvent row) {
    return row.seq()
        + " "
        + row.key()
        + " "
        + row.part()
        + " "
        + row.receivedAt()
        + " "
        + row.position()
        + " "
        + row.pipelines()
        + " "
        + new String(row.logData(), UTF_8)
        + " "
        + row.sha256()
        + " "
        + row.durability();
  }

  /// Turns until nothing is left to do now.
  void archive(Archiver archiver) throws InterruptedException {
    for (int i = 0; i < 2; i++) {
      while (archiver.turn()) {
        // there is more
      }
    }
  }

  void archive() throws InterruptedException {
    archive(archiver());
  }

  /// Verifies against the live tenant.
  ArchiveVerifier.Report verify(String tenant)
      throws ViewException, ObjectStoreException, InterruptedException {
    ViewState state = state(tenant);
    SortedMap<Long, String> chains = new TreeMap<>(Map.of(state.seq(), state.chain()));
    return new ArchiveVerifier(store).verify(tenant, state.seq(), chains);
  }

  /// What the archive proves by itself.
  List<String> faults(String tenant) throws ObjectStoreException, InterruptedException {
    return new ArchiveVerifier(store).verify(tenant, null, new TreeMap<>()).faults();
  }

  /// Where a tenant's archive ends, which it has.
  ArchiveHead head(String tenant) throws Exception {
    return requireNonNull(new ArchiveReader(store).head(tenant));
  }

  /// The name of a tenant's newest finished segment.
  SegmentName newest(String tenant) throws Exception {
    return requireNonNull(head(tenant).segment());
  }

  /// All keys of the archive.
  List<String> keys() throws ObjectStoreException, InterruptedException {
    List<String> keys = new ArrayList<>();
    store.list(ArchiveKeys.ROOT, object -> keys.add(object.key()));
    return keys;
  }

  @Override
  public void close() {
    databases.close();
  }
}
