package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.torture.CampaignResult.Counter;
import com.datanadhi.echopost.torture.HubCalls.Answer;
import com.datanadhi.echopost.torture.HubCalls.Way;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Polling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// The steps of a round of [HubKeysCampaign], and what must be stored after them. Not thread-safe.
final class HubKeysRound {
  static final List<String> PIPELINES = List.of("p1");

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int CALLERS = 1_000;
  private static final int RIVALS = 100;
  private static final int OLD_NUMBERS = 200;
  private static final int PLAIN_KEYS = 20;
  private static final int OTHER_PAYLOADS = 10;
  private static final int ON_EVERY_WAY = 12;
  private static final int AGENT_RECORDS = 20;
  private static final List<Way> ALL = List.of(Way.values());
  private static final List<Way> WITH_RECEIPT = List.of(Way.LOG, Way.TRANSACTION, Way.GRPC);

  private final String round;
  private final Path data;
  private final Path directory;
  private final String tenant;
  private final String apiKey;
  private final Random random;
  private final CampaignResult result;

  private final String oldSource;
  private final String newSource;
  private final long firstLate;
  private final Map<String, Expected> expected = new HashMap<>();
  private final List<String> agentPayloads = new ArrayList<>();
  private final Map<Conflict, String> conflicts = new TreeMap<>();
  private final Map<String, String> receipts = new HashMap<>();
  private @Nullable HubTenant live;
  private @Nullable String liveCounts;

  /// What must be stored under a key.
  ///
  /// @param payload the record, whose line ends and surrounding white space do not matter
  /// @param times 2 if the key was forgotten in between
  private record Expected(String payload, int times) {}

  private record Conflict(String key, String sha256, String pipelines)
      implements Comparable<Conflict> {
    @Override
    public int compareTo(Conflict other) {
      return toString().compareTo(other.toString());
    }
  }

  /// @param data the hub's directory
  /// @param directory of the agents
  HubKeysRound(
      Path directory,
      Path data,
      String tenant,
      String apiKey,
      Random random,
      CampaignResult result) {
    this.round = String.valueOf(directory.getFileName());
    this.directory = directory;
    this.data = data;
    this.tenant = tenant;
    this.apiKey = apiKey;
    this.random = random;
    this.result = result;
    this.oldSource = source();
    this.newSource = source();
    this.firstLate = 1L + random.nextInt(OLD_NUMBERS - 20);
  }

  HubCalls connect(HubProcess hub) {
    return new HubCalls(hub.url(), hub.grpcTarget(), apiKey);
  }

  /// Both forms that the contract knows.
  private String source() {
    UUID uuid = new UUID(random.nextLong(), random.nextLong());
    return random.nextBoolean() ? uuid.toString() : uuid.toString().replace("-", "");
  }

  private boolean isLate(long number) {
    return number >= firstLate && number < firstLate + 10;
  }

  private static String old(long number) {
    return "{\"old\":" + number + "}";
  }

  private String oldKey(long number) {
    return oldSource + "-" + number;
  }

  // ---- before the key horizon

  /// Agents whose records are pending since before the copy.
  CopiedAgents prepareAgents() throws IOException, InterruptedException {
    CopiedAgents agents = new CopiedAgents(directory, apiKey);
    List<String> payloads = agentPayloads("pending");
    agents.storeAndCopy(payloads);
    return agents;
  }

  private List<String> agentPayloads(String kind) {
    List<String> payloads =
        IntStream.range(0, AGENT_RECORDS)
            .mapToObj(n -> "{\"agent\":\"" + kind + "\",\r\n \"n\":" + n + "}")
            .toList();
    agentPayloads.addAll(payloads);
    return payloads;
  }

  /// Stores numbers of a source, with a gap, and keys that belong to no source.
  void sendThePast(HubCalls calls) throws IOException {
    List<String> lines = new ArrayList<>();
    for (long n = 1; n <= OLD_NUMBERS; n++) {
      if (!isLate(n)) {
        lines.add(HubCalls.line(oldKey(n), PIPELINES, old(n)));
        expected.put(oldKey(n), new Expected(old(n), 1));
      }
    }
    Answer answer = calls.lines(lines);
    expect(answer, 200, "lines of the past");
    for (int n = 0; n < PLAIN_KEYS; n++) {
      Way way = anyOf(ALL);
      for (boolean replayed : new boolean[] {false, true}) {
        expectStored(calls.send(way, "plain-" + n, PIPELINES, plain(n)), way, replayed);
      }
    }
  }

  private static String plain(int number) {
    return "{\"plain\":" + number + "}";
  }

  // ---- today

  /// Keys of a source are known for ever, whatever comes under them; others are forgotten.
  void repeatThePast(HubCalls calls) throws Exception {
    List<Callable<Void>> tasks = new ArrayList<>();
    for (long n = 1; n <= OLD_NUMBERS; n++) {
      if (isLate(n)) {
        continue;
      }
      long number = n;
      Way way = anyOf(ALL);
      String payload = random.nextInt(4) == 0 ? "{\"other\":" + n + "}" : old(n);
      tasks.add(() -> {
        Answer answer = calls.send(way, oldKey(number), PIPELINES, payload);
        expect(answer, 200, "a repeat of " + oldKey(number) + " by " + way);
        if (WITH_RECEIPT.contains(way)
            && !(answer.replayed()
                && answer.unverified()
                && answer.body().contains("\"sha256\":null,\"durability\":null"))) {
          violation(way + ": a repeat from beyond the horizon was answered by " + answer);
        }
        return null;
      });
    }
    runAll(tasks);
    result.add("repeats of 31 days ago", tasks.size());
    for (int n = 0; n < PLAIN_KEYS; n++) {
      String key = "plain-" + n;
      for (boolean replayed : new boolean[] {false, true}) {
        Way way = anyOf(WITH_RECEIPT);
        Answer answer = calls.send(way, key, PIPELINES, plain(n));
        expectStored(answer, way, replayed);
        receipts.merge(key, answer.body(), this::sameReceipt);
      }
      expected.put(key, new Expected(plain(n), 2));
    }
  }

  /// Numbers below those that are stored, which come for the first time.
  void sendWhatNeverCame(HubCalls calls, CopiedAgents agents)
      throws IOException, InterruptedException {
    for (long n = firstLate; n < firstLate + 10; n++) {
      expected.put(oldKey(n), new Expected(old(n), 1));
      if (random.nextInt(3) == 0) {
        agents.send(random.nextInt(2), oldKey(n), old(n));
      } else {
        Way way = anyOf(ALL);
        expectStored(calls.send(way, oldKey(n), PIPELINES, old(n)), way, false);
      }
      result.add("old numbers that came for the first time", 1);
    }
  }

  /// Known keys with other content: each is refused with both digests, and kept once.
  void sendOtherPayloads(HubCalls calls) throws IOException {
    for (int n = 0; n < OTHER_PAYLOADS; n++) {
      String key = n % 2 == 0 ? "other-" + n : newSource + "-" + (n + 1);
      String payload = "{\"first\":" + n + "}";
      store(calls, key, payload);
      String other = "{\"second\":" + n + "}";
      boolean onlyPipelines = random.nextInt(3) == 0;
      String sent = onlyPipelines ? payload : other;
      List<String> pipelines = onlyPipelines ? List.of("p1", "p2") : PIPELINES;
      for (int repeat = 0; repeat < 2; repeat++) {
        Way way = anyOf(ALL);
        Answer answer = calls.send(way, key, pipelines, sent);
        expect(answer, 422, "another payload under " + key + " by " + way);
        for (String digest : List.of(HubTenant.digest(payload), HubTenant.digest(sent))) {
          if (!answer.body().contains(digest)) {
            violation(way + ": the refusal does not name " + digest + ": " + answer);
          }
        }
        result.add("other payloads", 1);
      }
      conflicts.put(
          new Conflict(key, HubTenant.digest(sent), onlyPipelines ? "other" : "same"), sent);
      Way again = anyOf(WITH_RECEIPT);
      expectStored(calls.send(again, key, PIPELINES, payload), again, true);
    }
  }

  /// Stores a record, and keeps its receipt for the comparison after the rebuild.
  private void store(HubCalls calls, String key, String payload) throws IOException {
    Way way = anyOf(WITH_RECEIPT);
    Answer answer = calls.send(way, key, PIPELINES, payload);
    expectStored(answer, way, false);
    expected.put(key, new Expected(payload, 1));
    receipts.merge(key, answer.body(), this::sameReceipt);
  }

  /// A thousand callers with one record under one key; and some with two payloads, of which one
  /// wins.
  void callTogether(HubCalls calls, CopiedAgents agents) throws Exception {
    String key = random.nextBoolean() ? "together" : newSource + "-" + 500;
    String payload = "{\"together\":\n" + random.nextInt() + "}";
    List<Callable<Answer>> tasks = new ArrayList<>();
    for (int caller = 0; caller < CALLERS; caller++) {
      Way way = caller % 4 == 0 ? anyOf(ALL) : Way.LOG;
      tasks.add(() -> calls.send(way, key, PIPELINES, payload));
    }
    List<Answer> answers = runAll(tasks);
    int first = 0;
    for (Answer answer : answers) {
      expect(answer, 200, "one of the callers under " + key);
      if (answer.isStored() && answer.body().startsWith("{\"status\"")) {
        receipts.merge(key, answer.body(), this::sameReceipt);
        first += answer.replayed() ? 0 : 1;
      }
    }
    if (first > 1) {
      violation(first + " callers under " + key + " were told that they were the first");
    }
    for (int agent = 0; agent < 2; agent++) {
      agents.send(agent, key, payload);
    }
    result.add("callers under one key", CALLERS);
    expected.put(key, new Expected(payload, 1));
    if (agents.awaitDelivered() != 0) {
      violation("an agent's record was rejected under " + key);
    }
    rivals(calls);
  }

  private void rivals(HubCalls calls) throws Exception {
    String key = "rivals";
    List<String> payloads = List.of("{\"rival\":1}", "{\"rival\":2}");
    List<Callable<Answer>> tasks = new ArrayList<>();
    for (int caller = 0; caller < RIVALS; caller++) {
      Way way = WITH_RECEIPT.get(caller / 2 % WITH_RECEIPT.size());
      String payload = payloads.get(caller % 2);
      tasks.add(() -> calls.send(way, key, PIPELINES, payload));
    }
    List<Answer> answers = runAll(tasks);
    int winner = answers.get(0).isStored() ? 0 : 1;
    for (int caller = 0; caller < RIVALS; caller++) {
      Answer answer = answers.get(caller);
      expect(answer, caller % 2 == winner ? 200 : 422, "rival " + caller % 2 + " of " + winner);
      if (answer.isStored()) {
        receipts.merge(key, answer.body(), this::sameReceipt);
      }
    }
    expected.put(key, new Expected(payloads.get(winner), 1));
    String loser = payloads.get(1 - winner);
    conflicts.put(new Conflict(key, HubTenant.digest(loser), "same"), loser);
  }

  /// One record with line ends on every way in: stored once, and a repeat each other time.
  void sendOnEveryWay(HubCalls calls, CopiedAgents agents) throws Exception {
    List<Callable<Void>> together = new ArrayList<>();
    for (int n = 0; n < ON_EVERY_WAY; n++) {
      String key = n % 3 == 0 ? "way-" + n : newSource + "-" + (1_000 + n);
      String payload =
          " \n{\r\n\t\"way\":[" + n + ",\n1],\"text\":\"a\\nb\",\r\"é\":\"\uD83D\uDE00\"}\r\n";
      expected.put(key, new Expected(payload, 1));
      List<@Nullable Way> ways = new ArrayList<>(Arrays.asList(Way.values()));
      ways.add(null);
      Collections.shuffle(ways, random);
      for (@Nullable Way way : ways) {
        Callable<Void> task =
            () -> {
              if (way == null) {
                agents.send(key.hashCode() & 1, key, payload);
              } else {
                expect(calls.send(way, key, PIPELINES, payload), 200, key + " by " + way);
              }
              return null;
            };
        if (n < ON_EVERY_WAY / 2) {
          var _ = task.call();
        } else {
          together.add(task);
        }
      }
      result.add("records on every way", 1);
    }
    runAll(together);
  }

  /// Both agents have delivered everything: what was pending at the copy twice, under one key.
  void endAgents(CopiedAgents agents) throws IOException, InterruptedException {
    for (int agent = 0; agent < 2; agent++) {
      for (String payload : agentPayloads("agent " + agent)) {
        agents.send(agent, null, payload);
      }
    }
    long rejected = agents.awaitDelivered();
    if (rejected != 0) {
      violation(rejected + " records of agents were rejected");
    }
    agents.close();
  }

  // ---- what must be stored

  /// Compares the tenant's database with what was sent.
  void check(HubCalls calls) throws IOException, SQLException {
    awaitApplied(calls);
    if (calls.metric("hub_conservation_difference") != 0) {
      violation("the hub's counts do not add up");
    }
    HubTenant stored = HubTenant.read(data, tenant);
    live = stored;
    liveCounts = counts();
    stored.faults().stream()
        .filter(fault -> !fault.contains("is stored twice"))
        .forEach(this::violation);
    Map<String, List<HubTenant.Stored>> byKey =
        stored.records().stream().collect(Collectors.groupingBy(HubTenant.Stored::key));
    expected.forEach((key, one) -> {
      List<HubTenant.Stored> records = byKey.getOrDefault(key, List.of());
      result.add(Counter.ACKNOWLEDGED, one.times());
      result.add(Counter.LOST, records.size() < one.times() ? 1 : 0);
      if (records.size() != one.times()
          || !records.stream().allMatch(record -> same(record.logData(), one.payload()))) {
        violation("stored under " + key + " is " + records + ", expected " + one);
      }
    });
    if (number("duplicates") != 0) {
      violation(number("duplicates") + " repeats were appended to the log");
    }
    checkAgents(byKey);
    checkConflicts();
    checkSource(calls);
    result.add(Counter.DELIVERED, stored.records().size());
  }

  private void checkAgents(Map<String, List<HubTenant.Stored>> byKey) {
    List<String> stored =
        byKey.entrySet().stream()
            .filter(entry -> !expected.containsKey(entry.getKey()))
            .flatMap(entry -> entry.getValue().stream())
            .map(record -> HubCalls.oneLine(record.logData()))
            .sorted()
            .toList();
    List<String> sent = agentPayloads.stream().map(HubCalls::oneLine).sorted().toList();
    result.add(Counter.ACKNOWLEDGED, sent.size());
    if (!stored.equals(sent)) {
      violation("of the agents' records are stored " + stored + ", sent were " + sent);
    }
  }

  private void checkConflicts() throws SQLException {
    Map<Conflict, String> kept = new TreeMap<>();
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT key, sha256, pipelines_sha256 = first_pipelines_sha256, body, acknowledged"
                    + " FROM conflicts")) {
      while (row.next()) {
        Conflict conflict =
            new Conflict(row.getString(1), row.getString(2), row.getBoolean(3) ? "same" : "other");
        String sent = conflicts.getOrDefault(conflict, "");
        // In the log record stands the payload as it was sent.
        String body = new String(row.getBytes(4), StandardCharsets.UTF_8);
        kept.put(conflict, body.contains(sent) && !sent.isEmpty() ? sent : body);
        if (row.getInt(5) != 0) {
          violation("a conflict was acknowledged: " + conflict);
        }
      }
    }
    if (!kept.equals(conflicts)) {
      violation("conflicts are " + kept + ", expected " + conflicts);
    }
  }

  private void checkSource(HubCalls calls) throws IOException {
    String sources = calls.get("/v1/sources").body();
    String complete =
        "{\"source\":\"%s\",\"stored\":%d,\"complete_to\":%d,\"missing\":[],"
            .formatted(oldSource, OLD_NUMBERS, OLD_NUMBERS);
    if (!sources.contains(complete)) {
      violation("the old source is not complete: " + sources);
    }
  }

  /// The same from the log alone: decisions, chain, counts, receipts.
  void checkRebuilt(HubCalls calls) throws IOException, SQLException {
    awaitApplied(calls);
    HubTenant rebuilt = HubTenant.read(data, tenant);
    HubTenant before = live;
    if (before == null
        || !rebuilt.records().equals(before.records())
        || !rebuilt.chain().equals(before.chain())) {
      violation("the rebuild differs from the live tenant");
    }
    if (!counts().equals(liveCounts)) {
      violation("the counts are " + counts() + " after the rebuild, and were " + liveCounts);
    }
    checkConflicts();
    for (Map.Entry<String, String> receipt : receipts.entrySet()) {
      Expected one = expected.get(receipt.getKey());
      Answer answer =
          calls.send(
              anyOf(WITH_RECEIPT), receipt.getKey(), PIPELINES, one == null ? "0" : one.payload());
      if (!answer.body().equals(receipt.getValue()) || !answer.replayed()) {
        violation("after the rebuild " + answer + " for the receipt " + receipt.getValue());
      }
    }
    long again =
        LongStream.rangeClosed(1, OLD_NUMBERS).filter(n -> !isLate(n)).findFirst().orElseThrow();
    Answer old = calls.log(oldKey(again), PIPELINES, old(again));
    if (!old.isStored() || !old.unverified()) {
      violation("after the rebuild " + oldKey(again) + " was answered by " + old);
    }
  }

  private String counts() throws SQLException {
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT stored || ',' || duplicates || ',' || conflicts || ',' || skipped || ','"
                    + " || keys_forgotten_before || ',' || applied_offset FROM state")) {
      return row.next() ? row.getString(1) : "";
    }
  }

  private long number(String column) {
    return HubTenant.number(data, tenant, "SELECT " + column + " FROM state");
  }

  private Connection open() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:sqlite:file:" + HubTenant.database(data, tenant) + "?mode=ro");
  }

  private void awaitApplied(HubCalls calls) {
    long _ =
        Polling.until(
            () -> {
              try {
                // A tenant without a database is rebuilt beside the others, who are ahead of it.
                return calls.metric("hub_apply_lag_records") == 0
                    && calls.metric("hub_parked_tenants") == 0;
              } catch (IOException failed) {
                throw new IllegalStateException(failed);
              }
            },
            Duration.ofMillis(20),
            LIMIT,
            () -> round + ": the log is not applied");
  }

  // ---- tools

  private static boolean same(String stored, String sent) {
    return HubTenant.digest(stored).equals(HubTenant.digest(sent))
        && HubCalls.oneLine(stored).strip().equals(HubCalls.oneLine(sent).strip());
  }

  private <T> T anyOf(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private String sameReceipt(String first, String second) {
    if (!first.equals(second)) {
      violation("two receipts: " + first + " and " + second);
    }
    return first;
  }

  private void expectStored(Answer answer, Way way, boolean replayed) {
    expect(answer, 200, way + (replayed ? ", again" : ", for the first time"));
    if (WITH_RECEIPT.contains(way) && answer.replayed() != replayed) {
      violation(way + ": expected " + (replayed ? "a repeat" : "a first time") + ": " + answer);
    }
  }

  private void expect(Answer answer, int status, String what) {
    if (answer.status() != status) {
      violation(what + ": expected " + status + ": " + answer);
    }
  }

  /// Runs the tasks at the same time; their results are in the same order.
  private static <T> List<T> runAll(List<Callable<T>> tasks) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<T> results = new ArrayList<>();
      for (Future<T> future : threads.invokeAll(tasks)) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException failed) {
      throw new IOException(failed.getCause());
    }
  }

  private void violation(String text) {
    result.addViolation(
        round + ": " + (text.length() > 2_000 ? text.substring(0, 2_000) + "…" : text));
  }
}
