package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.hub.log.segments.LogVerifier;
import com.datanadhi.hub.log.segments.LogVerifier.Finding;
import com.datanadhi.hub.restore.Scratch;
import com.datanadhi.testkit.HubProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Hubs as processes, of whose log a sealed segment is damaged on the disk.
class DamagedLogTest {
  private static final Duration WAIT = Duration.ofSeconds(90);

  @TempDir private Path home;
  private HttpClient client;
  private Path data;
  private String acme = "";
  private String beta = "";

  /// What the hub keeps elsewhere.
  private enum Kept {
    ARCHIVE("--archive-interval 1s --snapshots off"),
    SNAPSHOTS("--archive off --snapshot-interval 1h"),
    NOTHING("--archive off --snapshots off");

    private final String flags;

    Kept(String flags) {
      this.flags = flags;
    }
  }

  @BeforeEach
  void open() {
    client = HttpClient.newHttpClient();
    data = home.resolve("data");
  }

  @AfterEach
  void close() {
    client.close();
  }

  private HubProcess spawn(Kept kept, String... more) throws IOException {
    List<String> all = new ArrayList<>(List.of("--objects", "file:" + home.resolve("objects")));
    all.addAll(List.of(kept.flags.split(" ")));
    all.addAll(List.of(more));
    HubProcess hub =
        HubProcess.spawn(HubOfClassPath.PROGRAM, data, Map.of(), all.toArray(String[]::new));
    hub.awaitReady();
    return hub;
  }

  private void post(HubProcess hub, String apiKey, int n) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
            .header("Content-Type", "application/json")
            .header("DATANADHI-API-KEY", apiKey)
            .header("Idempotency-Key", "k-" + n)
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"pipelines\":[\"p\"],\"log_data\":{\"n\":" + n + "}}"))
            .build();
    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  /// Each number is sent for acme, and each third for beta too.
  private void post(HubProcess hub, int first, int last) throws Exception {
    for (int n = first; n <= last; n++) {
      post(hub, acme, n);
      if (n % 3 == 0) {
        post(hub, beta, n);
      }
    }
  }

  private double metric(HubProcess hub, String name) {
    try {
      HttpRequest request = HttpRequest.newBuilder(URI.create(hub.url() + "/metrics")).build();
      return client
          .send(request, HttpResponse.BodyHandlers.ofString())
          .body()
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
          .findFirst()
          .orElseThrow();
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private double ofRecords(HubProcess hub, String name) {
    return metric(hub, name + "{stream=\"events-0\"}");
  }

  private double lost(HubProcess hub) {
    return ofRecords(hub, "hub_lost_records");
  }

  private static void stop(HubProcess hub) throws Exception {
    hub.terminate();
    assertThat(hub.awaitExit(WAIT)).isZero();
  }

  /// A sealed segment with the numbers 1 to 30, and one with 31 to 40.
  private void write(Kept kept) throws Exception {
    try (HubProcess hub = spawn(kept)) {
      acme = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      beta = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "beta");
      post(hub, 1, 15);
      if (kept == Kept.ARCHIVE) {
        awaitArchived(hub, 20);
      }
      post(hub, 16, 30);
      stop(hub);
    }
    try (HubProcess hub = spawn(kept)) {
      post(hub, 31, 40);
      if (kept == Kept.ARCHIVE) {
        awaitArchived(hub, 13);
      }
      if (kept == Kept.SNAPSHOTS) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int status =
            new Cli((_, _, _) -> 0, OfflineDirectory::open, Map.of(), out, out)
                .run("snapshot", "--tenant-id", "acme", "--data", data.toString());
        assertThat(status).as(out.toString(UTF_8)).isZero();
      }
      stop(hub);
    }
  }

  private void awaitArchived(HubProcess hub, double records) {
    await()
        .atMost(WAIT)
        .until(() ->
            metric(hub, "archive_lag_events") == 0
                && metric(hub, "hub_archived_records_total") >= records);
  }

  /// Overwrites a third in the middle of the first segment.
  ///
  /// @return the offsets that are damaged
  private List<Long> damage() throws IOException {
    Path segment;
    try (Stream<Path> files = Files.list(data.resolve("log/events-0"))) {
      segment =
          files
              .filter(f -> f.toString().endsWith(".log"))
              .sorted(DamagedLogTest::byOffset)
              .findFirst()
              .orElseThrow();
    }
    Files.setPosixFilePermissions(segment, PosixFilePermissions.fromString("rw-------"));
    int size = Math.toIntExact(Files.size(segment));
    try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE)) {
      int _ = channel.write(ByteBuffer.allocate(size / 3), size / 3);
    }
    List<Long> damaged = new ArrayList<>();
    for (Finding finding : LogVerifier.verify(data.resolve("log")).findings()) {
      for (long offset = finding.firstOffset(); offset < finding.endOffset(); offset++) {
        damaged.add(offset);
      }
    }
    assertThat(damaged).hasSizeBetween(5, 30);
    return damaged;
  }

  private static int byOffset(Path one, Path other) {
    return offset(one).compareTo(offset(other));
  }

  private static String offset(Path segment) {
    String name = String.valueOf(segment.getFileName());
    return name.substring(name.lastIndexOf('-'));
  }

  private Path directory(String tenant) throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("tenants"), 2)) {
      return files.filter(file -> file.endsWith(tenant)).findFirst().orElseThrow();
    }
  }

  private record Row(long seq, String key, long receivedAt, long offset, String logData) {
    private Row under(long newSeq) {
      return new Row(newSeq, key, receivedAt, offset, logData);
    }
  }

  private List<Row> rows(String tenant) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (Connection connection = connect(tenant);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT seq, key, received_at, position, CAST(log_data AS TEXT) FROM events"
                    + " ORDER BY seq")) {
      while (row.next()) {
        String position = row.getString(4);
        rows.add(
            new Row(
                row.getLong(1),
                row.getString(2),
                row.getLong(3),
                Long.parseLong(position.substring(position.lastIndexOf(':') + 1)),
                row.getString(5)));
      }
    }
    return rows;
  }

  private Connection connect(String tenant) throws SQLException, IOException {
    return DriverManager.getConnection("jdbc:sqlite:" + directory(tenant).resolve("canonical.db"));
  }

  private String head(String tenant) throws Exception {
    try (Connection connection = connect(tenant);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT seq || ' ' || chain FROM state")) {
      return row.next() ? row.getString(1) : "";
    }
  }

  private void awaitSound(HubProcess hub) {
    await()
        .atMost(WAIT)
        .until(() ->
            ofRecords(hub, "hub_apply_lag_records") == 0
                && ofRecords(hub, "hub_parked_tenants") == 0);
  }

  private static List<Row> without(List<Row> rows, List<Long> offsets) {
    List<Row> left = new ArrayList<>();
    for (Row row : rows) {
      if (!offsets.contains(row.offset())) {
        left.add(row.under(left.size() + 1L));
      }
    }
    return left;
  }

  @Test
  void a_deleted_database_gets_archived_records_that_the_log_lost() throws Exception {
    write(Kept.ARCHIVE);
    List<Row> rows = rows("acme");
    String head = head("acme");
    String other = head("beta");
    List<Long> damaged = damage();
    Scratch.delete(directory("acme"));

    try (HubProcess hub = spawn(Kept.ARCHIVE)) {
      awaitSound(hub);
      assertThat(rows("acme")).isEqualTo(rows);
      assertThat(head("acme")).isEqualTo(head);
      assertThat(head("beta")).isEqualTo(other);
      assertThat(rows.stream().map(Row::offset)).anyMatch(damaged::contains);
      assertThat(lost(hub)).isZero();
      assertThat(hub.output()).doesNotContain("records_lost");
      assertThat(metric(hub, "hub_conservation_difference")).isZero();

      post(hub, acme, 20);
      post(hub, acme, 41);
      await().atMost(WAIT).until(() -> head("acme").startsWith("41 "));
      await().atMost(WAIT).until(() -> metric(hub, "archive_lag_events") == 0);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      stop(hub);
    }
  }

  @Test
  void what_no_archive_has_is_recorded_as_lost_and_each_rebuild_goes_on_behind_it()
      throws Exception {
    write(Kept.NOTHING);
    List<Row> rows = rows("acme");
    List<Row> others = rows("beta");
    List<Long> damaged = damage();
    Scratch.delete(directory("acme"));

    String head;
    try (HubProcess hub = spawn(Kept.NOTHING)) {
      awaitSound(hub);
      assertThat(rows("acme")).isEqualTo(without(rows, damaged));
      assertThat(rows("beta")).isEqualTo(others);
      assertThat(lost(hub)).isEqualTo(rows.size() - without(rows, damaged).size());
      assertThat(hub.output()).contains("records_lost");
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      post(hub, acme, 41);
      stop(hub);
    }
    head = head("acme");
    Scratch.delete(directory("acme"));
    try (HubProcess hub = spawn(Kept.NOTHING)) {
      awaitSound(hub);
      assertThat(head("acme")).isEqualTo(head);
      assertThat(rows("beta")).isEqualTo(others);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      stop(hub);
    }

    // This run has not read the damage itself.
    Path stream = data.resolve("log/events-0");
    try (HubProcess hub = spawn(Kept.NOTHING, "--log-retention", "0s")) {
      await().atMost(WAIT).until(() -> files(stream, ".damaged").size() == 1);
      assertThat(metric(hub, "hub_log_damaged_segments")).isZero();
      stop(hub);
    }
  }

  private static List<String> files(Path directory, String ending) {
    String[] names = directory.toFile().list((_, name) -> name.endsWith(ending));
    return names == null ? List.of() : List.of(names);
  }

  @Test
  void a_snapshot_replaces_what_the_log_lost() throws Exception {
    write(Kept.SNAPSHOTS);
    List<Row> rows = rows("acme");
    String head = head("acme");
    List<Long> damaged = damage();
    Scratch.delete(directory("acme"));

    try (HubProcess hub = spawn(Kept.SNAPSHOTS)) {
      awaitSound(hub);
      assertThat(rows("acme")).isEqualTo(rows);
      assertThat(head("acme")).isEqualTo(head);
      assertThat(damaged).isNotEmpty();
      assertThat(lost(hub)).isZero();
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      stop(hub);
    }
  }

  @Test
  void a_hub_that_reads_its_whole_log_again_takes_lost_records_from_the_archive() throws Exception {
    write(Kept.ARCHIVE);
    List<Row> rows = rows("acme");
    List<Row> others = rows("beta");
    String head = head("acme");
    String other = head("beta");
    List<Long> damaged = damage();
    Scratch.delete(directory("acme"));
    Scratch.delete(directory("beta"));
    Files.delete(data.resolve("applied-through"));

    try (HubProcess hub = spawn(Kept.ARCHIVE)) {
      awaitSound(hub);
      assertThat(rows("acme")).isEqualTo(rows);
      assertThat(rows("beta")).isEqualTo(others);
      assertThat(head("acme")).isEqualTo(head);
      assertThat(head("beta")).isEqualTo(other);
      assertThat(damaged).isNotEmpty();
      assertThat(lost(hub)).isZero();
      assertThat(hub.output()).contains("damage_passed").doesNotContain("records_lost");
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      stop(hub);
    }
  }

  @Test
  void of_a_range_that_is_archived_in_part_only_the_rest_is_lost() throws Exception {
    write(Kept.ARCHIVE);
    List<Row> rows = rows("acme");
    List<Row> others = rows("beta");
    List<Long> damaged = damage();
    long archived = cutArchive("acme", rows, damaged);
    Scratch.delete(directory("acme"));

    try (HubProcess hub = spawn(Kept.ARCHIVE)) {
      awaitSound(hub);
      List<Long> missing =
          rows.stream()
              .filter(row -> damaged.contains(row.offset()) && row.seq() > archived)
              .map(Row::offset)
              .toList();
      assertThat(missing).isNotEmpty();
      assertThat(rows("acme")).isEqualTo(without(rows, missing));
      assertThat(rows("beta")).isEqualTo(others);
      assertThat(lost(hub)).isEqualTo(missing.size());
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      await().atMost(WAIT).until(() -> metric(hub, "archive_lag_events") == 0);
      stop(hub);
    }
  }

  /// Deletes the archive's segments that end behind the damage.
  ///
  /// @return the last seq that is archived
  private long cutArchive(String tenant, List<Row> rows, List<Long> damaged) throws IOException {
    long last = 0;
    Path archive = home.resolve("objects/archive").resolve(tenant);
    try (Stream<Path> files = Files.walk(archive)) {
      for (Path checksum :
          files.filter(file -> file.toString().endsWith(".checksum")).sorted().toList()) {
        String text = Files.readString(checksum);
        long end = Long.parseLong(text.replaceAll("(?s).*\"last_seq\":\\s*(\\d+).*", "$1"));
        if (rows.get((int) end - 1).offset() >= damaged.getLast()) {
          String name = checksum.toString().replace(".checksum", "");
          Files.delete(checksum);
          Files.delete(Path.of(name + ".jsonl.gz"));
        } else {
          last = Math.max(last, end);
        }
      }
    }
    return last;
  }
}
