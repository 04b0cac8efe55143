package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.HubProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// kill -9 of the hub at random moments of start-up, append, rotation, applying and rebuilding, and
/// of the agents that deliver to it.
///
/// A round is one data directory. Agents with clients, and senders over HTTP, are sending while the
/// hub is killed and restarted many times; before some starts a database is deleted. Then all
/// senders end, and what is stored is compared with what they were told, with a chain computed
/// here, and with databases that the hub builds again from nothing but its log.
final class HubKillCampaign implements Campaign {
  private static final String AGENTS = "agents";
  private static final String SENDERS = "senders";
  private static final List<String> TENANTS = List.of(AGENTS, SENDERS);
  private static final int FEW_AGENTS = 6;
  private static final int MANY_AGENTS = 20;
  private static final int SENDER_COUNT = 4;
  private static final int MIN_KILLS = 4;
  private static final int MAX_KILLS = 16;
  private static final int MAX_START_MILLIS = 800;
  private static final int MAX_REQUESTS = 150;
  private static final int MAX_PAUSE_MILLIS = 50;
  private static final Duration MAX_RUNTIME = Duration.ofSeconds(5);
  private static final int RECEIPTS_PER_RUN = 5;
  private static final Duration TIME_FOR_THE_END = Duration.ofSeconds(10);
  private static final Duration TIMEOUT = Duration.ofSeconds(90);

  @Override
  public String name() {
    return "hub-kill";
  }

  @Override
  public String description() {
    return "kill -9 of the hub at random moments, and of agents that deliver to it";
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

  /// An agent with a client.
  private static final class Sdk implements AutoCloseable {
    private final HubDirectory hub;
    private AgentProcess agent;
    private final BackgroundClients clients;

    Sdk(int number, Path home, HubDirectory hub, HubChecker checker, CampaignRun run)
        throws IOException {
      this.hub = hub;
      this.agent = spawn(home.resolve("agent-" + number));
      this.clients =
          new BackgroundClients(
              agent.socket(),
              hub.apiKeys().get(AGENTS),
              number,
              1,
              1 + run.random().nextInt(8),
              50 + run.random().nextInt(500),
              20_000_000,
              checker.agentOf(AGENTS),
              run.result());
    }

    private AgentProcess spawn(Path directory) throws IOException {
      return AgentProcess.spawn(directory, hub.url());
    }

    void kill() throws IOException, InterruptedException {
      agent.close();
      agent = spawn(agent.directory());
    }

    /// An agent exits when it has delivered everything; an SDK then spawns the next one.
    void replaceEnded() throws IOException, InterruptedException {
      if (!agent.isAlive()) {
        kill();
      }
    }

    void stopClients() throws InterruptedException {
      clients.close();
    }

    /// Waits until the agent has delivered everything and has exited.
    void awaitEnd(CampaignResult result) throws InterruptedException, TimeoutException {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation("exit " + exit + " of an agent: " + agent.output());
      }
    }

    @Override
    public void close() throws IOException, InterruptedException {
      clients.close();
      agent.close();
    }
  }

  private static final class Round implements AutoCloseable {
    private final CampaignRun run;
    private final CampaignResult result;
    private final Random random;
    private final String name;
    private final Path home;
    private final HubDirectory hub;
    private final HubChecker checker;
    private final List<Sdk> sdks = new ArrayList<>();
    private final Map<String, String> receipts = new HashMap<>();
    private HubProcess process;
    private int starts;
    private boolean databaseLost;

    Round(CampaignRun run) throws IOException {
      this.run = run;
      this.result = run.result();
      this.random = run.random();
      this.name = "round " + run.rounds();
      this.home = Files.createDirectories(run.roundDirectory());
      this.hub = HubDirectory.create(home.resolve("hub"), "--segment-bytes", "64KiB");
      this.checker = new HubChecker(name, result);
      this.process = spawn();
    }

    void perform() throws Exception {
      process.awaitReady();
      hub.createKeys(AGENTS, SENDERS);
      int agents = run.hasTimeLeft(Duration.ofMinutes(1)) ? MANY_AGENTS : FEW_AGENTS;
      for (int number = 0; number < agents; number++) {
        sdks.add(new Sdk(number, home, hub, checker, run));
      }
      try (HubSenders senders =
          new HubSenders(
              hub.url(),
              Map.of(SENDERS, String.valueOf(hub.apiKeys().get(SENDERS))),
              SENDER_COUNT,
              300,
              5_000_000,
              random,
              checker,
              result)) {
        for (int kill = 0;
            kill < MIN_KILLS || (kill < MAX_KILLS && run.hasTimeLeft(TIME_FOR_THE_END));
            kill++) {
          killAndRestart(senders);
        }
        process.awaitReady();
        for (Sdk sdk : sdks) {
          sdk.stopClients();
        }
        senders.finish();
        result.add("acknowledged to senders", checker.acknowledgedRecords(SENDERS));
        result.add("requests without an answer", senders.failures());
      }
      for (Sdk sdk : sdks) {
        sdk.awaitEnd(result);
      }
      awaitApplied();
      checkReceipts(Integer.MAX_VALUE);
      checkConservation();
      List<HubTenant> stored = check();
      stored.forEach(checker::checkWithoutGaps);
      compareWithRebuild(stored);
      checkReceipts(Integer.MAX_VALUE);
      stop();
      String _ = HubProcess.run("verify", "log", "--data", hub.data().toString());
    }

    /// Lets the hub run for a random time, which may end before it is ready, and kills it.
    private void killAndRestart(HubSenders senders) throws Exception {
      if (random.nextInt(4) == 0) {
        pause(random.nextInt(MAX_START_MILLIS));
      } else {
        process.awaitReady();
        // Counted in requests, because a time would be too short on a busy machine. The random
        // bound makes early kills likely, just after the start.
        senders.awaitAcknowledged(random.nextInt(1 + random.nextInt(MAX_REQUESTS)), MAX_RUNTIME);
        checkReceipts(RECEIPTS_PER_RUN);
        pause(random.nextInt(MAX_PAUSE_MILLIS));
      }
      for (Sdk sdk : sdks) {
        sdk.replaceEnded();
      }
      if (random.nextInt(3) == 0) {
        sdks.get(random.nextInt(sdks.size())).kill();
        result.add("kills of agents", 1);
      }
      end();
      result.add(CampaignResult.Counter.KILLS, 1);
      if (random.nextInt(3) == 0) {
        loseDatabase();
      }
      process = spawn();
    }

    private HubProcess spawn() throws IOException {
      starts++;
      return hub.spawn(Map.of());
    }

    private void end() throws IOException, InterruptedException {
      process.kill();
      checkOutput(process.output());
      process.close();
    }

    private void stop() throws IOException, InterruptedException, TimeoutException {
      process.terminate();
      int exit = process.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation(name + ": exit " + exit + " of the hub: " + process.output());
      }
      end();
    }

    /// Takes away a part of what is derived from the log, as a user may who wants it built again.
    private void loseDatabase() throws IOException {
      result.add("lost databases", 1);
      databaseLost = true;
      Path database = HubTenant.database(hub.data(), TENANTS.get(random.nextInt(TENANTS.size())));
      switch (random.nextInt(5)) {
        case 0 -> Directories.delete(hub.data().resolve("tenants"));
        case 1 -> Directories.delete(database.resolve("..").normalize());
        case 2 -> Files.deleteIfExists(database);
        case 3 -> Files.deleteIfExists(database.resolveSibling("mailbox.db"));
        default -> Files.deleteIfExists(hub.data().resolve("applied-through"));
      }
    }

    /// Asks for receipts of acknowledged transactions: once one has a seq it never changes.
    private void checkReceipts(int most) throws InterruptedException {
      try (HubClient client = hub.client(SENDERS)) {
        for (String key : checker.someAcknowledged(SENDERS, most, random)) {
          HubClient.Answer answer = client.get("/v1/receipts/" + key);
          if (answer.status() == 200 && !answer.body().contains("\"seq\":null")) {
            String first = receipts.putIfAbsent(key, answer.body());
            if (first != null && !first.equals(answer.body())) {
              result.addViolation(name + ": two receipts: " + first + " and " + answer.body());
            }
          } else if (answer.status() != 200 && answer.status() != 503) {
            result.addViolation(
                name + ": " + answer + " for the receipt of the acknowledged " + key);
          }
        }
      } catch (IOException noAnswer) {
        result.addViolation(name + ": a hub that is ready did not answer: " + noAnswer);
      }
    }

    private void awaitApplied() throws InterruptedException {
      result.recordTime("until all is stored", hub.awaitApplied(process, TIMEOUT));
    }

    private void checkConservation() throws IOException, InterruptedException {
      try (HubClient client = hub.client(SENDERS)) {
        double difference = client.metric("hub_conservation_difference");
        if (difference != 0) {
          result.addViolation(
              name
                  + ": hub_conservation_difference is "
                  + difference
                  + " in an idle hub: "
                  + client.get("/metrics").body());
        }
      }
    }

    private List<HubTenant> check() throws SQLException {
      List<HubTenant> all = new ArrayList<>();
      for (String tenant : TENANTS) {
        all.add(checker.check(hub.data(), tenant));
      }
      return all;
    }

    private void compareWithRebuild(List<HubTenant> stored) throws Exception {
      end();
      Directories.delete(hub.data().resolve("tenants"));
      databaseLost = true;
      process = spawn();
      process.awaitReady();
      awaitApplied();
      for (HubTenant before : stored) {
        HubTenant after = HubTenant.read(hub.data(), before.tenant());
        if (!after.equals(before)) {
          result.addViolation(
              name
                  + ": built again from the log, "
                  + before.tenant()
                  + " has "
                  + after.records().size()
                  + " records and the chain "
                  + after.chain()
                  + ", before "
                  + before.records().size()
                  + " and "
                  + before.chain()
                  + " "
                  + after.faults());
        }
      }
    }

    private static long count(String output, String text) {
      return output.lines().filter(line -> line.contains(text)).count();
    }

    /// A killed process damages nothing, so the hub has nothing to report but a missing database.
    private void checkOutput(String output) throws IOException {
      String expected = databaseLost ? "\"event\":\"tenant_parked\"" : "nothing";
      // A hub that was killed while it rebuilt a database leaves that to the next one.
      databaseLost =
          count(output, "\"event\":\"tenant_parked\"")
              > count(output, "\"event\":\"tenant_unparked\"");
      Files.writeString(home.resolve("hub-" + starts + ".log"), output);
      output
          .lines()
          .filter(line -> !line.startsWith("{") || line.contains("\"level\":\"SEVERE\""))
          .filter(line -> !line.contains(expected))
          .limit(3)
          .forEach(line -> result.addViolation(name + ", start " + starts + ": " + line));
    }

    @Override
    public void close() throws Exception {
      for (Sdk sdk : sdks) {
        sdk.close();
      }
      process.close();
    }
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }
}
