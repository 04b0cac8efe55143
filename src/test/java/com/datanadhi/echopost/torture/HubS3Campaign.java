package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.FaultyNetwork;
import com.datanadhi.testkit.FaultyNetwork.Direction;
import com.datanadhi.testkit.S3Server;
import com.datanadhi.testkit.Shims;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// A hub whose S3 store answers late, wrongly, in part or not at all, while senders send, and that
/// is killed meanwhile.
///
/// A round is one data directory and one bucket. A faulty network and an unreliable proxy are
/// between the hub and a real S3 server. Now and then a second hub on a copy of the data directory
/// archives into the same bucket. Proven log segments are deleted at once. When everything works
/// again and the hub has archived all, the archive must have what `canonical.db` has, record by
/// record, and what senders know. At the end of the first round an object is damaged, which must be
/// found.
final class HubS3Campaign implements Campaign {
  private static final List<String> TENANTS = List.of("acme", "globex", "initech");
  private static final int MIN_ATTACKS = 4;
  private static final int MAX_ATTACKS = 15;
  private static final Duration TIME_FOR_THE_END = Duration.ofSeconds(5);
  private static final Duration TIMEOUT = Duration.ofMinutes(2);

  /// For each sender to be answered, whatever the store does.
  private static final Duration INTAKE = Duration.ofSeconds(5);

  /// How long the next fault waits for the hub to have noticed the end of the last one.
  private static final Duration RECOVERY = Duration.ofSeconds(12);

  /// The same in a run that is to end soon: after a fault of a second the hub tries again within
  /// two.
  private static final Duration SHORT_RECOVERY = Duration.ofSeconds(2);

  private static final Duration SHORT_RUN = Duration.ofSeconds(30);

  /// What the hub may need to end, and a busy machine.
  private static final Duration END = Duration.ofSeconds(15);

  private static final int MAX_CLOCK_STEP_SECONDS = 240;

  @Override
  public String name() {
    return "hub-s3";
  }

  @Override
  public String description() {
    return "a hub whose S3 store is late, lies, or is away, and that is killed meanwhile";
  }

  @Override
  public String skipReason() {
    return Shims.skipReason();
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      Path home = Files.createDirectories(run.roundDirectory());
      try (Round round = new Round(run, home)) {
        round.perform();
      }
      run.deleteUnlessFailed(home);
    }
  }

  /// Of the store. What a proxy does that knows requests is most likely to find something.
  private enum Fault {
    LATE("late answers"),
    SILENT("silence"),
    CUT("cuts"),
    RESET("resets"),
    REFUSED("refused connections"),
    ENDED("ends of the store"),
    WRONG("wrong or lost answers"),
    WRONG_AGAIN("wrong or lost answers");

    private final String text;

    Fault(String text) {
      this.text = text;
    }
  }

  /// Done to the hub during a fault.
  private enum Action {
    NONE,
    KILL,
    TERMINATE,
    SECOND_WRITER
  }

  private static final class Round implements AutoCloseable {
    private static final String URL = "s3://" + S3Server.BUCKET + "/hub";
    private static final String[] FLAGS = {
      "--objects", URL,
      "--archive-interval", "1s",
      "--snapshot-interval", "2s",
      "--snapshot-keep", "2",
      "--segment-bytes", "64KiB",
      "--segment-age", "1s",
      "--log-retention", "0s"
    };

    private final CampaignRun run;
    private final CampaignResult result;
    private final Random random;
    private final String name;
    private final Path home;
    private final S3Server store;
    private final UnreliableProxy proxy;
    private final FaultyNetwork network;
    private final ClockShim clock;
    private final Map<String, String> environment = new HashMap<>();
    private final CampaignHub hub;
    private final List<Fault> faults = new ArrayList<>();
    private final List<Action> actions = new ArrayList<>();
    private final boolean isShort;
    private int copies;

    Round(CampaignRun run, Path home) throws IOException, InterruptedException {
      this.run = run;
      this.result = run.result();
      this.random = run.random();
      this.name = "round " + run.rounds();
      this.home = home;
      this.isShort = run.hasTimeLeft() && !run.hasTimeLeft(SHORT_RUN);
      store = S3Server.start(home.resolve("s3"));
      proxy = new UnreliableProxy(store.port(), new Random(random.nextLong()));
      network = FaultyNetwork.start(home, proxy.port());
      clock = ClockShim.at(home.resolve("clock"));
      environment.putAll(
          S3Server.environment(network.endpoint(), S3Server.ACCESS_KEY, S3Server.SECRET_KEY));
      environment.putAll(clock.environment());
      hub = new CampaignHub(home.resolve("data"), environment, FLAGS);
    }

    void perform() throws Exception {
      hub.start();
      List<SourceSender> all;
      try (SourceSenders senders = new SourceSenders(hub::url, result)) {
        for (String tenant : TENANTS) {
          senders.add(
              tenant,
              hub.createKey(tenant),
              new UUID(random.nextLong(), random.nextLong()),
              1 + random.nextInt(20),
              100 + random.nextInt(1_000),
              10_000_000);
        }
        senders.awaitMore(1 + random.nextInt(100), TIMEOUT);
        for (int attack = 0;
            attack < MIN_ATTACKS || (attack < MAX_ATTACKS && run.hasTimeLeft(TIME_FOR_THE_END));
            attack++) {
          attack(senders);
        }
        senders.close();
        awaitArchived();
        all = senders.close(hub, name, TIMEOUT);
      }
      check(all);
    }

    /// One fault of the store. Senders must not notice it, but for the time without a hub.
    private void attack(SourceSenders senders) throws Exception {
      stepClock();
      Fault fault = next(faults, Fault.values());
      begin(fault);
      result.add(fault.text, 1);
      // The hub archives once a second.
      LockSupport.parkNanos(1_000_000_000);
      pause(isShort ? 300 : 1_500);
      expectIntake(senders, fault);
      switch (next(actions, Action.values())) {
        case KILL -> kill();
        case TERMINATE -> terminate();
        case SECOND_WRITER -> secondWriter();
        case NONE -> {
          // The hub runs on.
        }
      }
      if (random.nextInt(6) == 0 && run.hasTimeLeft(Duration.ofSeconds(30))) {
        result.add("long faults", 1);
        LockSupport.parkNanos(Duration.ofSeconds(8).toNanos());
      }
      expectIntake(senders, fault);
      heal();
      // Now and then the next fault begins before the hub has noticed that the last one is over.
      if (random.nextInt(4) > 0) {
        awaitSegment();
      }
    }

    /// Waits until the hub has archived something. After a failure it waits longer and longer, up
    /// to a minute.
    private void awaitSegment() throws IOException, InterruptedException {
      double before = metric("hub_archived_segments_total");
      long start = System.nanoTime();
      while (metric("hub_archived_segments_total") == before
          && System.nanoTime() - start < (isShort ? SHORT_RECOVERY : RECOVERY).toNanos()) {
        LockSupport.parkNanos(20_000_000);
      }
      result.recordTime("until archived again", System.nanoTime() - start);
      pause(isShort ? 100 : 1_000);
    }

    private void begin(Fault fault) throws Exception {
      Direction direction = random.nextBoolean() ? Direction.TO_SERVER : Direction.FROM_SERVER;
      switch (fault) {
        case LATE -> network.delay(direction, 100 + random.nextInt(2_000));
        case SILENT -> network.silence(direction);
        case CUT ->
            network.cutAfter(direction, random.nextInt(random.nextBoolean() ? 1_000 : 20_000));
        case RESET -> network.reset(direction, random.nextInt(100));
        case REFUSED -> network.refuse();
        case ENDED -> store.stop();
        case WRONG, WRONG_AGAIN -> proxy.setFails(true);
      }
    }

    /// All of them in random order, again and again, so that a short run has most of them.
    private <T> T next(List<T> left, T[] all) {
      if (left.isEmpty()) {
        left.addAll(List.of(all));
      }
      return left.remove(random.nextInt(left.size()));
    }

    private void heal() throws Exception {
      proxy.setFails(false);
      if (!store.isAlive()) {
        store.restart();
      }
      // Ends connections in which something is missing.
      network.refuse();
      network.heal();
    }

    private void stepClock() throws IOException {
      if (random.nextInt(4) == 0) {
        result.add("clock steps", 1);
        clock.setOffset(
            Duration.ofSeconds(
                random.nextInt(-MAX_CLOCK_STEP_SECONDS, MAX_CLOCK_STEP_SECONDS + 1)));
      }
    }

    private void expectIntake(SourceSenders senders, Fault fault) {
      if (!senders.isEachAnswered(INTAKE)) {
        result.addViolation(
            name
                + ": no intake during "
                + fault.text
                + ": "
                + senders.lastRefusals()
                + hub.process().output());
      }
    }

    private void kill() throws Exception {
      end();
      spawn();
    }

    private void end() throws Exception {
      hub.process().kill();
      keepOutput(hub, "data");
      hub.process().close();
      result.add(CampaignResult.Counter.KILLS, 1);
    }

    private void spawn() throws IOException {
      long start = System.nanoTime();
      hub.spawn();
      boolean serves;
      try {
        serves = hub.awaitServing();
      } catch (IllegalStateException slow) {
        // Two hubs that start on a busy machine.
        serves = hub.awaitServing();
      }
      result.recordTime("start", System.nanoTime() - start);
      if (!serves) {
        throw new IllegalStateException("the hub has ended: " + hub.process().output());
      }
    }

    private void terminate() throws Exception {
      long start = System.nanoTime();
      hub.process().terminate();
      int exit = hub.process().awaitExit(TIMEOUT);
      long nanos = System.nanoTime() - start;
      result.recordTime("end after SIGTERM", nanos);
      if (exit != 0 || nanos > END.toNanos()) {
        result.addViolation(
            name
                + ": exit "
                + exit
                + " "
                + Duration.ofNanos(nanos)
                + " after SIGTERM: "
                + hub.process().output());
      }
      keepOutput(hub, "data");
      hub.process().close();
      spawn();
    }

    /// Two hubs with the same history so far archive it at the same time. The second one gets no
    /// more records.
    private void secondWriter() throws Exception {
      end();
      Path copy = home.resolve("copy-" + ++copies);
      if (new ProcessBuilder("cp", "-a", hub.data().toString(), copy.toString()).start().waitFor()
          != 0) {
        throw new IOException("the data directory cannot be copied");
      }
      // It can be a link to the socket of the other one.
      Files.deleteIfExists(copy.resolve("hub.sock"));
      result.add("second writers", 1);
      try (CampaignHub second = new CampaignHub(copy, environment, FLAGS)) {
        second.spawn();
        pause(isShort ? 500 : 1_500);
        spawn();
        pause(isShort ? 1_000 : 2_000);
        second.process().kill();
        keepOutput(second, copy.getFileName().toString());
      }
      Directories.delete(copy);
    }

    private void keepOutput(CampaignHub of, String directory) throws IOException {
      Files.writeString(
          home.resolve(directory + "-" + System.nanoTime() + ".log"), of.process().output());
    }

    private void awaitArchived() throws Exception {
      long start = System.nanoTime();
      while (!hub.awaitAppliedAll(TIMEOUT) || metric("archive_lag_events") != 0) {
        if (System.nanoTime() - start > TIMEOUT.toNanos()) {
          result.addViolation(
              name + ": not everything is archived: " + hub.status() + hub.process().output());
          return;
        }
        LockSupport.parkNanos(50_000_000);
      }
      result.recordTime("until all is archived", System.nanoTime() - start);
    }

    private double metric(String metric) throws IOException, InterruptedException {
      try (HubClient client = new HubClient(hub.url(), "")) {
        return client.metric(metric);
      }
    }

    private void check(List<SourceSender> senders) throws Exception {
      Path archive = store.files(S3Server.BUCKET).resolve("hub/archive");
      List<HubTenant> stored = new ArrayList<>();
      for (String tenant : TENANTS) {
        SourceCheck check =
            SourceCheck.of(
                hub.data(),
                tenant,
                senders.stream().filter(sender -> sender.tenant().equals(tenant)).toList());
        check.report(name, Set.of(), result);
        stored.add(check.stored());
        for (String fault :
            ArchiveCheck.faults(archive, check.stored()).stream().limit(5).toList()) {
          result.addViolation(name + ": " + fault);
        }
      }
      expectSuccess("verify", "all");
      expectSuccess("drill");
      if (run.rounds() == 1 && !result.hasViolations()) {
        checkThatDamageIsFound(archive, stored);
      }
    }

    private void expectSuccess(String... command) throws Exception {
      long start = System.nanoTime();
      CampaignHub.Ran ran = hub.command(command);
      result.recordTime(String.join(" ", command), System.nanoTime() - start);
      if (ran.status() != 0) {
        result.addViolation(
            name + ": " + String.join(" ", command) + ": " + ran.status() + ": " + ran.output());
      }
    }

    private void checkThatDamageIsFound(Path archive, List<HubTenant> stored) throws Exception {
      HubTenant tenant = stored.get(random.nextInt(stored.size()));
      List<Path> objects;
      try (Stream<Path> files = Files.walk(archive.resolve(tenant.tenant()))) {
        // Without its .checksum, the last segment counts as one that was not finished.
        objects = files.filter(file -> file.toString().endsWith(".gz")).sorted().toList();
      }
      Path damaged = objects.get(random.nextInt(objects.size()));
      if (random.nextBoolean()) {
        Files.delete(damaged);
      } else {
        byte[] content = Files.readAllBytes(damaged);
        content[random.nextInt(content.length)] ^= 1;
        Files.write(damaged, content);
      }
      if (ArchiveCheck.faults(archive, tenant).isEmpty()
          || hub.command("verify", "all").status() != 1) {
        result.addViolation(name + ": nobody has found that " + damaged + " is damaged");
      }
      result.add("damaged objects that were found", 1);
    }

    private void pause(int mostMillis) {
      LockSupport.parkNanos(random.nextLong(mostMillis * 1_000_000L));
    }

    @Override
    public void close() throws Exception {
      hub.close();
      network.close();
      proxy.close();
      store.close();
      clock.close();
    }
  }
}
