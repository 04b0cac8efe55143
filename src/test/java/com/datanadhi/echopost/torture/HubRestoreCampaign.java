package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Restores under full load, and disasters.
///
/// A round is one object store. Senders send and consumers move cursors, while the hub is killed
/// and restarted, and restores to random seqs and moments are compared with the live databases; a
/// restore that is killed is run again. A tenant's database is lost, a restore to the middle must
/// not be served on the same store, and twice the whole data directory is lost and restored. At the
/// end everything that was acknowledged and archived must be there exactly once. Last, an old copy
/// of the data directory is put back: it must not change what is archived.
final class HubRestoreCampaign implements Campaign {
  private static final List<String> TENANTS = List.of("acme", "globex");
  private static final String PIPELINE = "all";
  private static final int SENDER_COUNT = 4;
  private static final int DISASTERS = 2;
  private static final int FEW_RESTORES = 3;
  private static final int MANY_RESTORES = 10;
  private static final int MAX_REQUESTS = 60;
  private static final Duration MAX_RUNTIME = Duration.ofSeconds(3);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final String END_OF_TIME = "2999-01-01T00:00:00Z";

  @Override
  public String name() {
    return "hub-restore";
  }

  @Override
  public String description() {
    return "restores to random records and moments, lost databases, lost machines, old copies";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      try (Round round = new Round(run)) {
        round.perform();
      }
      run.deleteUnlessFailed(run.roundDirectory());
    }
  }

  private static final class Round implements AutoCloseable {
    private final CampaignResult result;
    private final Random random;
    private final String name;
    private final Path home;
    private final boolean isLong;
    private final HubObjects objects;
    private final HubChecker checker;
    private final Map<String, HubConsumer> consumers = new HashMap<>();
    private HubDirectory hub;
    private HubProcess process;
    private int starts;
    private int restores;
    private boolean isDamaged;

    Round(CampaignRun run) throws IOException {
      this.result = run.result();
      this.random = run.random();
      this.name = "round " + run.rounds();
      this.home = Files.createDirectories(run.roundDirectory());
      this.isLong = run.hasTimeLeft(Duration.ofMinutes(1)) || !run.hasTimeLeft();
      this.objects = new HubObjects(home.resolve("objects"));
      this.checker = new HubChecker(name, result);
      this.hub = HubDirectory.create(home.resolve("hub"), flags(objects));
      this.process = spawn();
    }

    /// The log keeps nothing that is archived, so that a database can only come back from there.
    private static String[] flags(HubObjects objects) {
      return new String[] {
        "--objects",
        objects.url(),
        "--archive-interval",
        "1s",
        "--snapshot-interval",
        "2s",
        "--segment-bytes",
        "64KiB",
        "--segment-age",
        "1s",
        "--log-retention",
        "0s"
      };
    }

    void perform() throws Exception {
      // A short round has time for one of them.
      int extra = random.nextInt(3);
      process.awaitReady();
      hub.createKeys(TENANTS.toArray(String[]::new));
      await("the API keys are archived", () -> isArchived("_control"));
      try (HubSenders senders =
          new HubSenders(
              hub.url(),
              hub.apiKeys(),
              SENDER_COUNT,
              200,
              isLong ? 20_000_000 : 80_000_000,
              random,
              checker,
              result)) {
        for (String tenant : TENANTS) {
          consumers.put(tenant, new HubConsumer(tenant, PIPELINE, hub.client(tenant), result));
        }
        int count = isLong ? MANY_RESTORES : FEW_RESTORES;
        for (int i = 0; i < count; i++) {
          if (i % 2 == 1) {
            killAndRestart(senders);
          }
          restoreAndCompare(i);
        }
        if (isLong || extra == 0) {
          loseDatabase(senders);
        }
        if (isLong || extra == 1) {
          serveTheMiddle();
        }
        for (int i = 0; i < DISASTERS; i++) {
          loseMachine(senders);
          if (isLong) {
            killAndRestart(senders);
            restoreAndCompare(i);
          }
        }
        process.awaitReady();
        senders.finish();
      }
      checkEnd();
      if (isLong || extra == 2) {
        putBackOldCopy();
      }
    }

    private void restoreAndCompare(int number) throws Exception {
      String tenant = TENANTS.get(random.nextInt(TENANTS.size()));
      await("records of " + tenant + " are archived", () -> archivedSeq(tenant) > 1);
      long archived = archivedSeq(tenant);
      HubTenant live = read(tenant);
      if (live.records().size() < archived) {
        violation(tenant + " has less than its archive: " + live.records().size());
        return;
      }
      long seq = 1 + random.nextLong(archived);
      long millis = live.records().get((int) seq - 1).receivedAt() + random.nextInt(-2, 3);
      boolean byTime =
          number % 2 == 1 && millis < live.records().get((int) archived - 1).receivedAt();
      HubCut cut =
          byTime ? HubCut.atTime(hub.data(), live, millis) : HubCut.atSeq(hub.data(), live, seq);
      Path output = home.resolve("restored-" + ++restores);
      Object[] command = {
        "restore",
        "--objects",
        objects.url(),
        "--tenant-id",
        tenant,
        byTime ? "--target-time" : "--target-seq",
        byTime ? Instant.ofEpochMilli(millis) : seq,
        "--output-dir",
        output
      };
      if (number % FEW_RESTORES == 2) {
        killRestore(output, command);
      }
      if (!Files.exists(output)) {
        expectDone(HubCommand.run(command));
      }
      report(
          "restored to " + (byTime ? Instant.ofEpochMilli(millis) : seq), cut.differences(output));
      result.add(byTime ? "restores to a moment" : "restores to a seq", 1);
      Directories.delete(output);
    }

    /// Kills it while it builds.
    private void killRestore(Path output, Object... command)
        throws IOException, InterruptedException {
      Process restore = HubCommand.start(home.resolve("killed.out"), command);
      Path unfinished = output.resolveSibling(output.getFileName() + ".unfinished-restore");
      while (restore.isAlive() && !Files.exists(unfinished)) {
        LockSupport.parkNanos(1_000_000);
      }
      LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(200)));
      restore.destroyForcibly().waitFor();
      if (!Files.exists(output)) {
        result.add("killed restores", 1);
      }
    }

    private void killAndRestart(HubSenders senders) throws Exception {
      process.awaitReady();
      load(senders);
      end();
      process = spawn();
      if (random.nextInt(4) == 0) {
        // Also while it starts.
        pause(random.nextInt(800));
        end();
        process = spawn();
      }
    }

    private void load(HubSenders senders) throws InterruptedException {
      senders.awaitAcknowledged(1 + random.nextInt(MAX_REQUESTS), MAX_RUNTIME);
      pause(random.nextInt(isLong ? 1_500 : 300));
    }

    /// A tenant's database is deleted from the running hub, or found damaged by its next start.
    private void loseDatabase(HubSenders senders) throws Exception {
      process.awaitReady();
      load(senders);
      String tenant = TENANTS.get(random.nextInt(TENANTS.size()));
      await("records of " + tenant + " are archived", () -> archivedSeq(tenant) > 1);
      HubTenant before = read(tenant);
      Path database = HubTenant.database(hub.data(), tenant);
      isDamaged = true;
      boolean isRunning = random.nextBoolean();
      if (isRunning) {
        Files.delete(database);
      } else {
        end();
        isDamaged = true;
        byte[] garbage = new byte[100];
        random.nextBytes(garbage);
        byte[] bytes = Files.readAllBytes(database);
        System.arraycopy(garbage, 0, bytes, 0, garbage.length);
        Files.write(database, bytes);
        // It can have the sound pages.
        Files.deleteIfExists(database.resolveSibling("canonical.db-wal"));
        process = spawn();
        process.awaitReady();
      }
      await(
          "the database of " + tenant + " comes back",
          () -> process.output().contains("\"event\":\"tenant_unparked\""));
      senders.awaitAcknowledged(1, MAX_RUNTIME);
      HubTenant after = read(tenant);
      List<String> differences = new ArrayList<>(after.faults());
      if (after.records().size() < before.records().size()
          || !after.records().subList(0, before.records().size()).equals(before.records())) {
        differences.add(
            "has "
                + after.records().size()
                + " records, or other ones, instead of "
                + before.records().size());
      }
      report((isRunning ? "deleted" : "damaged") + " database of " + tenant, differences);
      result.add("lost databases", 1);
    }

    /// A restore to the middle can be served, but not as what the object store continues.
    private void serveTheMiddle() throws Exception {
      String tenant = TENANTS.getFirst();
      long archived = archivedSeq(tenant);
      HubTenant live = read(tenant);
      HubCut cut = HubCut.atSeq(hub.data(), live, archived / 2 + random.nextLong(1 + archived / 4));
      if (cut.seq() == 0 || cut.seq() >= archived) {
        return;
      }
      Path middle = home.resolve("middle");
      expectDone(
          HubCommand.run(
              "restore",
              "--objects",
              objects.url(),
              "--tenant-id",
              tenant,
              "--target-seq",
              cut.seq(),
              "--output-dir",
              middle));
      try (HubProcess refused = spawnAt(middle, objects)) {
        int exit = refused.awaitExit(TIMEOUT);
        Matcher seqs =
            Pattern.compile("was restored to seq ([0-9]+),.* goes on to ([0-9]+)")
                .matcher(refused.output());
        if (exit != 1
            || !seqs.find()
            || Long.parseLong(seqs.group(1)) != cut.seq()
            || Long.parseLong(seqs.group(2)) < archived) {
          violation(
              "a restore to "
                  + cut.seq()
                  + " of "
                  + archived
                  + " is served on the same store: exit "
                  + exit
                  + ", "
                  + refused.output());
        }
      }
      report("the middle after a refused start", cut.differences(middle));
      HubObjects own = new HubObjects(home.resolve("own-objects"));
      try (HubProcess serving = spawnAt(middle, own);
          HubClient client =
              new HubClient(awaitUrl(serving), String.valueOf(hub.apiKeys().get(tenant)))) {
        HubClient.Answer answer = client.postOne(newRecord(tenant));
        if (answer.status() != 200) {
          violation("a restore to the middle with a store of its own answers " + answer);
        }
        long seq = cut.seq() + 1;
        await("the middle is archived in its own store", () -> own.archivedSeq(tenant) == seq);
        expectDone(HubCommand.run("verify", "all", "--data", middle));
      }
      Directories.delete(middle);
      result.add("restores to the middle served", 1);
    }

    private static HubProcess spawnAt(Path data, HubObjects objects) throws IOException {
      return HubProcess.spawn(
          List.of(PackagedProgram.hub().toString()), data, Map.of(), flags(objects));
    }

    private static String awaitUrl(HubProcess hub) {
      hub.awaitReady();
      return hub.url();
    }

    /// The data directory is gone. What was acknowledged and not archived is lost; nothing else.
    private void loseMachine(HubSenders senders) throws Exception {
      process.awaitReady();
      load(senders);
      end();
      Path lost = home.resolve("lost");
      Files.move(hub.data(), lost);
      Path restored = home.resolve("hub-" + ++restores);
      Map<String, Long> archived = new HashMap<>();
      for (String tenant : TENANTS) {
        archived.put(tenant, archivedSeq(tenant));
      }
      expectDone(
          HubCommand.run(
              "restore",
              "--objects",
              objects.url(),
              "--all",
              "--target-time",
              END_OF_TIME,
              "--output-dir",
              restored));
      for (String tenant : TENANTS) {
        HubTenant live = HubTenant.read(lost, tenant);
        long count = HubTenant.count(restored, tenant);
        // A snapshot can be ahead of the archive.
        if (count < archived.getOrDefault(tenant, 0L) || count > live.records().size()) {
          violation(
              tenant
                  + ": "
                  + count
                  + " records were restored, "
                  + archived.get(tenant)
                  + " archived, "
                  + live.records().size()
                  + " lost");
          continue;
        }
        HubCut cut = new HubCut(lost, live, count);
        report("lost machine", cut.differences(restored));
        checker.lostAllBut(
            tenant, cut.records().stream().map(HubTenant.Stored::key).collect(Collectors.toSet()));
        HubConsumer consumer = consumers.get(tenant);
        if (consumer != null) {
          // Senders put each record into this pipeline.
          consumer.lostBehind(count);
        }
        result.add("records lost with a machine", live.records().size() - count);
      }
      Directories.delete(lost);
      hub = hub.at(restored);
      process = spawn();
      process.awaitReady();
      senders.awaitAcknowledged(SENDER_COUNT, TIMEOUT);
      result.add("lost machines", 1);
    }

    private void checkEnd() throws Exception {
      for (HubConsumer consumer : consumers.values()) {
        consumer.close();
      }
      result.recordTime("until all is stored", hub.awaitApplied(process, TIMEOUT));
      for (String tenant : TENANTS) {
        await("all of " + tenant + " is archived", () -> isArchived(tenant));
      }
      for (String tenant : TENANTS) {
        checker.checkWithoutGaps(checker.check(hub.data(), tenant));
      }
      try (HubClient client = hub.client(TENANTS.getFirst())) {
        double difference = client.metric("hub_conservation_difference");
        if (difference != 0) {
          violation("hub_conservation_difference is " + difference + " in an idle hub");
        }
      }
      expectDone(HubCommand.run("verify", "all", "--data", hub.data()));
    }

    /// The archive has records that this copy of the data directory does not know.
    private void putBackOldCopy() throws Exception {
      end();
      Path copy = home.resolve("old-copy");
      copy(hub.data(), copy);
      process = spawn();
      process.awaitReady();
      String tenant = TENANTS.getFirst();
      post(tenant, 20);
      await("newer records are archived", () -> isArchived(tenant));
      Map<Path, byte[]> before = contents(objects.folder().resolve("archive"));
      end();
      Directories.delete(hub.data());
      Files.move(copy, hub.data());
      process = spawn();
      isDamaged = true;
      if (isReady()) {
        post(tenant, 20);
        pause(1_500);
      }
      end();
      for (Map.Entry<Path, byte[]> object : before.entrySet()) {
        if (!Files.exists(object.getKey())
            || !Arrays.equals(object.getValue(), Files.readAllBytes(object.getKey()))) {
          violation("an old copy of the data directory changed " + object.getKey());
        }
      }
      expectDone(HubCommand.run("verify", "archive", "--objects", objects.url()));
      result.add("old copies put back", 1);
    }

    private boolean isReady() {
      try {
        process.awaitReady();
        return true;
      } catch (IllegalStateException refused) {
        return false;
      }
    }

    /// Records that need not be accepted.
    private void post(String tenant, int count) throws InterruptedException {
      try (HubClient client = hub.client(tenant)) {
        for (int i = 0; i < count; i++) {
          HubClient.Answer answer = client.postOne(newRecord(tenant));
          result.add("answers around an old copy: " + answer.status(), 1);
        }
      } catch (IOException noAnswer) {
        result.add("no answers around an old copy", 1);
      }
    }

    private HubChecker.Sent newRecord(String tenant) {
      String key = "k:" + new UUID(random.nextLong(), random.nextLong());
      return new HubChecker.Sent(tenant, key, "[\"" + PIPELINE + "\"]", List.of("\"" + key + "\""));
    }

    private static Map<Path, byte[]> contents(Path folder) throws IOException {
      Map<Path, byte[]> contents = new HashMap<>();
      for (Path file : HubObjects.files(folder, "")) {
        contents.put(file, Files.readAllBytes(file));
      }
      return contents;
    }

    private static void copy(Path from, Path to) throws IOException {
      for (Path file : HubObjects.files(from, "")) {
        Path target = to.resolve(from.relativize(file));
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }

    // ---- the hub

    private HubProcess spawn() throws IOException {
      starts++;
      return hub.spawn(Map.of());
    }

    /// kill -9.
    private void end() throws IOException, InterruptedException {
      process.kill();
      checkOutput(process.output());
      process.close();
      result.add(CampaignResult.Counter.KILLS, 1);
    }

    private void checkOutput(String output) throws IOException {
      Files.writeString(home.resolve("hub-" + starts + ".log"), output, StandardCharsets.UTF_8);
      String expected = isDamaged ? "\"event\":\"tenant_" : "nothing";
      isDamaged = false;
      output
          .lines()
          .filter(line -> !line.startsWith("{") || line.contains("\"level\":\"SEVERE\""))
          .filter(line -> !line.contains(expected))
          .limit(3)
          .forEach(line -> violation("start " + starts + ": " + line));
    }

    private HubTenant read(String tenant) throws SQLException {
      return HubTenant.read(hub.data(), tenant);
    }

    private long archivedSeq(String tenant) throws IOException {
      return objects.archivedSeq(tenant);
    }

    private boolean isArchived(String tenant) throws IOException {
      long seq = HubTenant.number(hub.data(), tenant, "SELECT seq FROM state");
      return seq > 0 && archivedSeq(tenant) == seq;
    }

    // ---- what is promised

    private interface Condition {
      boolean holds() throws IOException;
    }

    private void await(String what, Condition condition) throws IOException, TimeoutException {
      long start = System.nanoTime();
      while (!condition.holds()) {
        if (System.nanoTime() - start > TIMEOUT.toNanos()) {
          throw new TimeoutException(
              what + ": not after " + TIMEOUT.toSeconds() + " s, hub-" + starts + ".log");
        }
        pause(20);
      }
    }

    private void expectDone(HubCommand.Result ran) {
      if (ran.status() != 0) {
        violation("a command exits with " + ran.status() + ": " + ran.output());
      }
    }

    private void report(String what, List<String> differences) {
      differences.stream().limit(3).forEach(line -> violation(what + ": " + line));
    }

    private void violation(String text) {
      result.addViolation(name + ": " + text);
    }

    private static void pause(int millis) {
      LockSupport.parkNanos(millis * 1_000_000L);
    }

    @Override
    public void close() throws Exception {
      for (HubConsumer consumer : consumers.values()) {
        consumer.close();
      }
      if (process.isAlive()) {
        end();
      }
    }
  }
}
