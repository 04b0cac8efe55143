package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.hub.restore.Scratch;
import com.datanadhi.testkit.FaultyNetwork;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.S3Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// Getting back what a machine, a database or a mistake has taken, with hubs as processes.
class RecoveryTest {
  private static final Duration WAIT = Duration.ofSeconds(60);
  private static final String SOURCE = "0191d2a0-7a6e-7c3b-8b1e-5d2c9a4f0e11";

  @TempDir private Path home;
  private HttpClient client;

  private Path data;
  private Path objects;

  @BeforeEach
  void open() {
    client = HttpClient.newHttpClient();
    data = home.resolve("data");
    objects = home.resolve("objects");
  }

  @AfterEach
  void close() {
    client.close();
  }

  private record Result(int status, String out) {}

  private static Result run(Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    String[] words = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
    int status = new Cli((_, _, _) -> 0, OfflineDirectory::open, Map.of(), out, out).run(words);
    return new Result(status, out.toString(UTF_8));
  }

  private String url() {
    return "file:" + objects;
  }

  private HubProcess spawn(Path directory, String... more) throws IOException {
    List<String> flags =
        new ArrayList<>(
            List.of("--objects", url(), "--archive-interval", "1s", "--snapshot-interval", "1h"));
    flags.addAll(List.of(more));
    return HubProcess.spawn(
        HubOfClassPath.PROGRAM, directory, Map.of(), flags.toArray(String[]::new));
  }

  private HttpResponse<String> send(HttpRequest.Builder request, String apiKey)
      throws IOException, InterruptedException {
    return client.send(
        request.header("DATANADHI-API-KEY", apiKey).build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> post(HubProcess hub, String apiKey, String key, String logData)
      throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .header("Prefer", "wait=20")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"pipelines\":[\"p\"],\"log_data\":" + logData + "}")),
        apiKey);
  }

  private void post(HubProcess hub, String apiKey, int first, int last) throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int n = first; n <= last; n++) {
      lines.append(
          "{\"key\":\"%s-%d\",\"pipelines\":[\"p\",\"q\"],\"log_data\":{\"n\":%d}}\n"
              .formatted(SOURCE, n, n));
    }
    HttpResponse<String> answer =
        send(
            HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString(lines.toString())),
            apiKey);
    assertThat(answer.body()).contains("\"stored\":" + (last - first + 1));
  }

  private static String get(HttpClient client, HubProcess hub, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(hub.url() + path)).build();
    return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  private double metric(HubProcess hub, String name) throws Exception {
    return get(client, hub, "/metrics")
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow();
  }

  private void awaitArchived(HubProcess hub, double records) {
    await()
        .atMost(WAIT)
        .until(() ->
            metric(hub, "archive_lag_events") == 0
                && metric(hub, "hub_archived_records_total") >= records);
  }

  private static Path database(Path directory, String tenant) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("tenants"))) {
      return files
          .filter(file -> file.endsWith(Path.of(tenant, "canonical.db")))
          .findFirst()
          .orElseThrow();
    }
  }

  private static String query(Path directory, String sql) throws Exception {
    return query(directory, "acme", sql);
  }

  private static String query(Path directory, String tenant, String sql) throws Exception {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + database(directory, tenant));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : "";
    }
  }

  private static String head(Path directory) throws Exception {
    return query(directory, "SELECT seq || ' ' || chain FROM state");
  }

  /// While a tenant is rebuilt, its database can be missing for a moment.
  private static void awaitHead(Path directory, long seq) {
    await().atMost(WAIT).ignoreExceptions().until(() -> head(directory).startsWith(seq + " "));
  }

  private Path restore(String name, Object... target) {
    Path output = home.resolve(name);
    List<Object> words = new ArrayList<>(List.of("restore", "--objects", url()));
    words.addAll(List.of(target));
    words.addAll(List.of("--output-dir", output));
    Result result = run(words.toArray());
    assertThat(result.status()).as(result.out()).isZero();
    return output;
  }

  private static final Object[] EVERYTHING = {"--all", "--target-time", "2999-01-01 00:00"};

  @Test
  void after_two_lost_machines_every_archived_record_is_there_once_and_hubs_go_on()
      throws Exception {
    String apiKey;
    String receipt;
    String before;
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      receipt = post(hub, apiKey, "k-1", "\"line\\r\\nend \\u0000 1e400\"").body();
      assertThat(post(hub, apiKey, "k-2", "{\"a\":1,\"a\":-0.0,\n\"b\":1e400}").statusCode())
          .isEqualTo(200);
      post(hub, apiKey, 1, 300);
      awaitArchived(hub, 302);
      assertThat(run("snapshot", "--tenant-id", "acme", "--data", data).out()).startsWith("snap_");
      assertThat(
              send(
                      HttpRequest.newBuilder(URI.create(hub.url() + "/v1/pipelines/p/cursors/c"))
                          .header("Content-Type", "application/json")
                          .POST(HttpRequest.BodyPublishers.ofString("{\"through\":50}")),
                      apiKey)
                  .statusCode())
          .isEqualTo(200);
      post(hub, apiKey, 301, 600);
      awaitArchived(hub, 602);
      hub.kill();
    }
    before = head(data);
    Scratch.delete(data);

    Path second = restore("second", EVERYTHING);
    assertThat(head(second)).isEqualTo(before);
    String afterwards;
    try (HubProcess hub = spawn(second)) {
      hub.awaitReady();
      HttpResponse<String> again = post(hub, apiKey, "k-1", "\"line\\r\\nend \\u0000 1e400\"");
      assertThat(again.body()).isEqualTo(receipt);
      assertThat(again.headers().firstValue("Idempotent-Replayed")).hasValue("true");
      assertThat(post(hub, apiKey, "k-1", "2").statusCode()).isEqualTo(422);
      assertThat(
              send(
                      HttpRequest.newBuilder(
                          URI.create(hub.url() + "/v1/pipelines/p/records?consumer=c&limit=1")),
                      apiKey)
                  .body())
          .contains("\"n\":51,");
      post(hub, apiKey, 500, 700);
      awaitArchived(hub, 100);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      Result verified = run("verify", "all", "--data", second);
      assertThat(verified.status()).as(verified.out()).isZero();
      Result drilled = run("drill", "--data", second);
      assertThat(drilled.out())
          .contains("tenant acme: restored to seq 702 and the same", "tenant _control: restored to")
          .doesNotContain("FAULT");
      hub.kill();
    }
    afterwards = head(second);
    assertThat(afterwards).startsWith("702 ");
    Scratch.delete(second);

    Path third = restore("third", EVERYTHING);
    assertThat(head(third)).isEqualTo(afterwards);
    try (HubProcess hub = spawn(third)) {
      hub.awaitReady();
      post(hub, apiKey, 1, 701);
      awaitHead(third, 703);
      assertThat(query(third, "SELECT count(DISTINCT key) FROM events")).isEqualTo("703");
      assertThat(query(third, "SELECT group_concat(first || '-' || last) FROM sources"))
          .isEqualTo("1-701");
      hub.terminate();
      assertThat(hub.awaitExit(WAIT)).isZero();
    }
  }

  @Test
  void a_restore_to_a_mistake_needs_a_place_of_its_own_to_serve() throws Exception {
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 100);
      awaitArchived(hub, 100);
      assertThat(
              send(
                      HttpRequest.newBuilder(URI.create(hub.url() + "/v1/transactions"))
                          .header("Content-Type", "application/json")
                          .header("Idempotency-Key", "three")
                          .POST(
                              HttpRequest.BodyPublishers.ofString(
                                  "{\"records\":[%s]}"
                                      .formatted(
                                          String.join(
                                              ",",
                                              List.of(
                                                  "{\"pipelines\":[],\"log_data\":1}",
                                                  "{\"pipelines\":[],\"log_data\":2}",
                                                  "{\"pipelines\":[],\"log_data\":3}"))))),
                      apiKey)
                  .statusCode())
          .isEqualTo(200);
      post(hub, apiKey, 101, 200);
      awaitArchived(hub, 203);
    }

    Result dry =
        run("restore", "--tenant-id", "acme", "--target-seq", 102, "--dry-run", "--objects", url());
    assertThat(dry.out())
        .contains(
            "seq 1 to 100",
            "seq 102 is inside a transaction",
            "left out: seq 101 to 203",
            "restored  seq 100",
            "left out  seq 101");
    Path other = home.resolve("other");
    Path cut =
        restore("cut", "--tenant-id", "acme", "--target-seq", 103, "--copy-to", "file:" + other);
    assertThat(query(cut, "SELECT count(*) || ' ' || max(key) FROM events")).isEqualTo("103 three");

    try (HubProcess refused = spawn(cut)) {
      assertThat(refused.awaitExit(WAIT)).isEqualTo(1);
      assertThat(refused.output())
          .contains("tenant acme was restored to seq 103", "goes on to 203");
      assertThat(refused.output()).containsOnlyOnce("tenant acme was restored to seq 103");
    }
    objects = other;
    try (HubProcess hub = spawn(cut)) {
      hub.awaitReady();
      awaitArchived(hub, 3);
      assertThat(run("verify", "all", "--data", cut).out())
          .contains("tenant acme: archive complete through seq 103", "no fault");
    }
  }

  @Test
  void a_database_is_rebuilt_although_the_log_has_lost_its_begin() throws Exception {
    try (HubProcess hub =
        spawn(data, "--segment-age", "1s", "--segment-bytes", "64KiB", "--log-retention", "0s")) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      for (int n = 1; n < 2_000; n += 500) {
        post(hub, apiKey, n, n + 499);
      }
      post(hub, apiKey, 1, 100);
      awaitArchived(hub, 2_000);
      await().atMost(WAIT).until(() -> hub.output().contains("\"segment_deleted\""));
      String before = head(data);

      Files.delete(database(data, "acme"));

      await().atMost(WAIT).until(() -> hub.output().contains("\"tenant_unparked\""));
      assertThat(head(data)).isEqualTo(before);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      assertThat(get(client, hub, "/health")).contains("\"status\":\"healthy\"");
      post(hub, apiKey, 2_001, 2_100);
      awaitHead(data, 2100);
    }
  }

  @Test
  void an_old_copy_that_was_put_back_goes_on_behind_the_archive() throws Exception {
    String apiKey;
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 100);
      awaitArchived(hub, 100);
      assertThat(run("snapshot", "--tenant-id", "acme", "--data", data).status()).isZero();
      hub.terminate();
      assertThat(hub.awaitExit(WAIT)).isZero();
    }
    Path copy = home.resolve("copy");
    copy(data, copy);
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      post(hub, apiKey, 101, 200);
      awaitArchived(hub, 100);
      hub.kill();
    }
    String newest = head(data);

    try (HubProcess hub = spawn(copy)) {
      hub.awaitReady();
      post(hub, apiKey, 150, 260);
      awaitHead(copy, 260);
      awaitArchived(hub, 60);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();

      Files.delete(database(copy, "acme"));
      await().atMost(WAIT).until(() -> hub.output().split("\"tenant_unparked\"", -1).length == 3);
      post(hub, apiKey, 261, 270);
      awaitHead(copy, 270);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      awaitArchived(hub, 70);
      Result verified = run("verify", "all", "--data", copy);
      assertThat(verified.status()).as(verified.out()).isZero();
      assertThat(run("drill", "--data", copy).out()).contains("restored to seq 270 and the same");
    }
    assertThat(newest).startsWith("200 ");
    assertThat(query(copy, "SELECT count(DISTINCT position) FROM events")).isEqualTo("270");
    assertThat(query(copy, "SELECT group_concat(first || '-' || last) FROM sources"))
        .isEqualTo("1-270");
  }

  /// The store answers so late that comparing all tenants takes longer than 5 s.
  @Test
  void an_old_copy_of_many_tenants_is_found_before_any_record_is_accepted() throws Exception {
    int count = 48;
    String[] more = {"--objects", "s3://" + S3Server.BUCKET + "/hub", "--snapshots", "off"};
    Map<String, String> apiKeys = new LinkedHashMap<>();
    Path copy = home.resolve("copy");
    try (S3Server store = S3Server.start(home.resolve("s3"));
        FaultyNetwork network = FaultyNetwork.start(home.resolve("network"), store.port())) {
      try (HubProcess hub = spawnOn(store.environment(), data, more)) {
        hub.awaitReady();
        for (int i = 0; i < count; i++) {
          String key =
              JsonMapper.shared()
                  .readTree(
                      run("key", "create", "--tenant-id", "t-" + i, "--data", data, "--json").out())
                  .get("key")
                  .stringValue();
          apiKeys.put("t-" + i, key);
        }
        postToAll(hub, apiKeys, "first");
        awaitArchived(hub, 2 * count);
        hub.terminate();
        assertThat(hub.awaitExit(WAIT)).isZero();
      }
      copy(data, copy);
      try (HubProcess hub = spawnOn(store.environment(), data, more)) {
        hub.awaitReady();
        postToAll(hub, apiKeys, "second");
        awaitArchived(hub, count);
        hub.kill();
      }

      network.delay(FaultyNetwork.Direction.FROM_SERVER, 600);
      Map<String, String> slowly =
          S3Server.environment(network.endpoint(), S3Server.ACCESS_KEY, S3Server.SECRET_KEY);
      try (HubProcess hub = spawnOn(slowly, copy, more)) {
        hub.awaitReady();
        network.heal();
        postToAll(hub, apiKeys, "third");
        await()
            .atMost(WAIT.multipliedBy(2))
            .ignoreExceptions()
            .untilAsserted(() -> {
              for (String tenant : apiKeys.keySet()) {
                assertThat(query(copy, tenant, "SELECT group_concat(key ORDER BY seq) FROM events"))
                    .as(tenant)
                    .isEqualTo("first,second,third");
              }
            });
        assertThat(hub.output()).doesNotContain("FORKED");
      }
    }
  }

  private static HubProcess spawnOn(
      Map<String, String> environment, Path directory, String... flags) throws IOException {
    List<String> all = new ArrayList<>(List.of("--archive-interval", "1s"));
    all.addAll(List.of(flags));
    return HubProcess.spawn(
        HubOfClassPath.PROGRAM, directory, environment, all.toArray(String[]::new));
  }

  /// Sends each tenant a record under this key.
  private void postToAll(HubProcess hub, Map<String, String> apiKeys, String key) throws Exception {
    for (String apiKey : apiKeys.values()) {
      HttpResponse<String> answer =
          send(
              HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
                  .header("Content-Type", "application/json")
                  .header("Idempotency-Key", key)
                  .POST(
                      HttpRequest.BodyPublishers.ofString(
                          "{\"pipelines\":[],\"log_data\":\"" + key + "\"}")),
              apiKey);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }
  }

  @Test
  void a_restored_database_that_is_lost_before_its_next_record_is_restored_again()
      throws Exception {
    String apiKey;
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 100);
      awaitArchived(hub, 101);
      hub.kill();
    }
    Path restored = restore("restored", EVERYTHING);
    try (HubProcess hub = spawn(restored)) {
      hub.awaitReady();
      hub.terminate();
      assertThat(hub.awaitExit(WAIT)).isZero();
    }
    Scratch.delete(Objects.requireNonNull(database(restored, "acme").getParent()));

    try (HubProcess hub = spawn(restored)) {
      hub.awaitReady();
      post(hub, apiKey, 90, 110);
      awaitHead(restored, 110);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      awaitArchived(hub, 10);
      Result verified = run("verify", "all", "--data", restored);
      assertThat(verified.status()).as(verified.out()).isZero();
    }
  }

  @Test
  void tenants_that_were_not_restored_come_back_from_the_archive() throws Exception {
    String acme;
    String globex;
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      acme = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      globex = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "globex");
      post(hub, acme, 1, 10);
      post(hub, globex, 1, 20);
      awaitArchived(hub, 32);
      hub.kill();
    }
    // A hub was killed before it had finished the first segment of a tenant.
    Path unfinished = objects.resolve("archive/initech/2026-11-30/segment_000001.jsonl.gz");
    Files.createDirectories(unfinished.getParent());
    Files.write(unfinished, new byte[] {1});
    assertThat(restore("all", EVERYTHING)).isDirectory();
    Path restored = restore("one", "--tenant-id", "acme", "--target-time", "2999-01-01 00:00");

    try (HubProcess hub = spawn(restored)) {
      hub.awaitReady();
      post(hub, globex, 15, 25);
      await()
          .atMost(WAIT)
          .ignoreExceptions()
          .until(() -> query(restored, "globex", "SELECT seq FROM state").equals("25"));
      assertThat(query(restored, "globex", "SELECT count(DISTINCT key) FROM events"))
          .isEqualTo("25");
      awaitArchived(hub, 5);
      assertThat(metric(hub, "hub_conservation_difference")).isZero();
      Files.delete(unfinished);
      Result verified = run("verify", "all", "--data", restored);
      assertThat(verified.status()).as(verified.out()).isZero();
    }
  }

  @Test
  void without_api_keys_nothing_is_restored_unless_that_is_wanted() throws Exception {
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 10);
      awaitArchived(hub, 11);
      hub.kill();
    }
    Scratch.delete(objects.resolve("archive/_control"));
    Scratch.delete(objects.resolve("snapshots/_control"));

    Result refused =
        run(
            "restore",
            "--all",
            "--target-time",
            "2999-01-01 00:00",
            "--objects",
            url(),
            "--output-dir",
            home.resolve("never"));
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.out()).contains("no API key", "--without-keys");
    assertThat(
            head(restore("kept", "--all", "--without-keys", "--target-time", "2999-01-01 00:00")))
        .startsWith("10 ");
  }

  @Test
  void an_old_copy_that_lacks_api_keys_does_not_serve() throws Exception {
    Path copy = home.resolve("copy");
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      awaitArchived(hub, 1);
      hub.kill();
    }
    copy(data, copy);
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      HubProcess.createKey(HubOfClassPath.PROGRAM, data, "globex");
      awaitArchived(hub, 1);
      hub.kill();
    }

    try (HubProcess hub = spawn(copy)) {
      assertThat(hub.awaitExit(WAIT)).isEqualTo(1);
      assertThat(hub.output())
          .contains("the archive of _control goes on to seq 2", "ends with 1", "restore --all");
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        if (Files.isDirectory(file) || Files.isRegularFile(file)) {
          Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  @Test
  void a_changed_archive_is_found_and_nothing_is_restored_from_it() throws Exception {
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 100);
      awaitArchived(hub, 100);
      post(hub, apiKey, 101, 200);
      awaitArchived(hub, 200);
      hub.terminate();
      assertThat(hub.awaitExit(WAIT)).isZero();
    }
    Scratch.delete(objects.resolve("snapshots"));
    List<Path> segments;
    try (Stream<Path> files = Files.walk(objects.resolve("archive/acme"))) {
      segments = files.filter(file -> file.toString().endsWith(".gz")).sorted().toList();
    }
    assertThat(run("verify", "archive", "--objects", url()).status()).isZero();
    Path first = segments.getFirst();
    byte[] content = Files.readAllBytes(first);
    Files.delete(first);

    Result verified = run("verify", "archive", "--objects", url());
    assertThat(verified.status()).isEqualTo(1);
    assertThat(verified.out()).contains("segment_000001.jsonl.gz");
    Path output = home.resolve("never");
    Result refused =
        run(
            "restore",
            "--all",
            "--target-time",
            "2999-01-01 00:00",
            "--objects",
            url(),
            "--output-dir",
            output);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.out()).contains("segment_000001.jsonl.gz");
    assertThat(output).doesNotExist();

    Files.write(first, content);
    assertThat(restore("again", EVERYTHING)).isDirectory();
  }

  @Test
  void the_missing_end_of_an_archive_is_found_beside_its_hub() throws Exception {
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 10);
      awaitArchived(hub, 11);
      assertThat(run("verify", "archive", "--data", data).status()).isZero();
      try (Stream<Path> files = Files.walk(objects.resolve("archive/acme"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.delete(file);
        }
      }

      Result verified = run("verify", "archive", "--data", data, "--tenant-id", "acme");

      assertThat(verified.status()).isEqualTo(1);
      assertThat(verified.out())
          .contains("ends with seq 0, and this hub has archived it through seq 10");
    }
  }

  @Test
  void a_store_that_cannot_be_used_makes_the_hub_degraded_until_it_can() throws Exception {
    Files.writeString(objects, "in the way");
    try (HubProcess hub = spawn(data)) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      post(hub, apiKey, 1, 10);
      await()
          .atMost(WAIT)
          .until(() -> get(client, hub, "/health").contains("the object store cannot be used"));
      assertThat(get(client, hub, "/health")).contains("\"status\":\"degraded\"");

      Files.delete(objects);

      awaitArchived(hub, 10);
      await()
          .atMost(WAIT)
          .until(() -> get(client, hub, "/health").contains("\"status\":\"healthy\""));

      Path aside = home.resolve("aside");
      Files.move(objects, aside);
      Files.writeString(objects, "in the way");
      post(hub, apiKey, 11, 20);
      await()
          .atMost(WAIT)
          .until(() -> get(client, hub, "/health").contains("\"status\":\"degraded\""));

      Files.delete(objects);
      Files.move(aside, objects);
      awaitArchived(hub, 20);
      await()
          .atMost(WAIT)
          .until(() -> get(client, hub, "/health").contains("\"status\":\"healthy\""));
    }
  }
}
