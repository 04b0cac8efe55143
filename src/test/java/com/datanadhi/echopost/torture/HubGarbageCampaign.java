package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.RawConnection;
import com.datanadhi.testkit.HubProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// Floods of hostile connections to a hub's HTTP and gRPC servers beside well-behaved clients.
///
/// A round is one hub, the single requests of [HubProbes], and every kind of flood at least once.
/// The well-behaved clients belong to another tenant than the hostile ones, and each of their
/// requests must be answered by success. At the end memory must be within its limit, the
/// descriptors must be closed, nothing that was smuggled may be stored, and SIGTERM must end the
/// hub while hostile connections are open.
final class HubGarbageCampaign implements Campaign {
  private static final String TENANT = "good";
  private static final String HOSTILE_TENANT = "hostile";
  private static final int CLIENTS = 3;
  private static final long FLOOD_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long MAX_ROUND_NANOS = TimeUnit.MINUTES.toNanos(2);

  /// How much time a round must have for floods of 10,000 connections.
  private static final Duration LONG = Duration.ofSeconds(60);

  private static final int FEWER_CONNECTIONS = 2_000;
  private static final int MANY_CONNECTIONS = 10_000;

  /// For the end of a round.
  private static final Duration END = Duration.ofSeconds(5);

  private static final List<HubHostileClient> WITHOUT_REQUEST =
      List.of(
          HubHostileClient.IDLE,
          HubHostileClient.SLOW_HEAD,
          HubHostileClient.DEAF_READER,
          HubHostileClient.GRPC_IDLE);

  /// Each of the two servers has a limit of 8,192 connections.
  private static final int MAX_EXTRA_DESCRIPTORS_DURING_FLOODS = 17_000;

  private static final int MAX_EXTRA_DESCRIPTORS_AFTERWARDS = 64;
  private static final long MAX_RESIDENT_MIB = 450;
  private static final long MAX_OUTPUT_BYTES = 1 << 20;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration SERVICE_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(10);

  @Override
  public String name() {
    return "hub-garbage";
  }

  @Override
  public String description() {
    return "floods of malformed, slow, smuggled and wasteful requests to a hub beside well-behaved"
        + " clients";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      round(run);
    }
  }

  private static void round(CampaignRun run) throws Exception {
    Path directory = Files.createDirectories(run.roundDirectory());
    Path data = directory.resolve("hub");
    CampaignResult result = run.result();
    String round = String.valueOf(directory.getFileName());
    boolean isLong = run.hasTimeLeft(LONG);
    HubChecker checker = new HubChecker(round, result);
    try (HubProcess hub = HubProcess.spawn(data)) {
      long _ = hub.awaitReady();
      HubHostileClient.Target target =
          new HubHostileClient.Target(
              hub.port(),
              URI.create("http://" + hub.grpcTarget()).getPort(),
              HubProcess.createKey(data, HOSTILE_TENANT),
              run.random());
      String apiKey = HubProcess.createKey(data, TENANT);
      try (HubGoodClients clients =
              new HubGoodClients(hub, TENANT, apiKey, CLIENTS, checker, result);
          ResourceUsage usage = new ResourceUsage(hub.handle().pid())) {
        probe(round, target, result);
        flood(run, round, target, isLong ? MANY_CONNECTIONS : FEWER_CONNECTIONS, clients);
        checkUsage(round, usage, result);
      }
      end(round, hub, target, isLong ? HubHostileClient.all() : WITHOUT_REQUEST, result);
    }
    HubTenant stored = checker.check(data, TENANT);
    checkNothingSmuggled(round, data, stored, result);
    run.deleteUnlessFailed(directory);
  }

  private static void probe(String round, HubHostileClient.Target target, CampaignResult result)
      throws IOException {
    for (HubProbes.Probe probe : HubProbes.all(target)) {
      int status = HubProbes.status(target.httpPort(), probe);
      if (!probe.statuses().contains(status)) {
        result.addViolation(
            round + ": " + probe.name() + ": status " + status + ", not " + probe.statuses());
      }
      result.add("probes", 1);
    }
  }

  /// Runs every kind of flood at least once.
  private static void flood(
      CampaignRun run,
      String round,
      HubHostileClient.Target target,
      int held,
      HubGoodClients clients)
      throws IOException {
    long end = System.nanoTime() + MAX_ROUND_NANOS;
    do {
      List<HubHostileClient> kinds = new ArrayList<>(HubHostileClient.all());
      Collections.shuffle(kinds, run.random());
      for (HubHostileClient kind : kinds) {
        flood(
            kind,
            target,
            held,
            () -> clients.checkNewClient(round + " after " + kind),
            run.result());
      }
    } while (run.hasTimeLeft(END) && System.nanoTime() - end < 0);
  }

  /// @param meanwhile runs while the connections that the flood holds are open
  private static void flood(
      HubHostileClient kind,
      HubHostileClient.Target target,
      int most,
      Runnable meanwhile,
      CampaignResult result)
      throws IOException {
    List<RawConnection> held = new ArrayList<>();
    try {
      long end = System.nanoTime() + FLOOD_NANOS;
      boolean fills = kind == HubHostileClient.IDLE || kind == HubHostileClient.GRPC_IDLE;
      long connections = 0;
      long limit = fills ? most : kind.mostConnections();
      while (connections < limit && (fills || System.nanoTime() - end < 0)) {
        RawConnection connection = new RawConnection(target.port(kind.door()));
        held.add(connection);
        if (!connection.awaitConnected(CONNECT_TIMEOUT)) {
          result.add("connections that were not accepted within 2 s", 1);
          break;
        }
        connections++;
        if (!kind.send(connection, target)) {
          held.removeLast().close();
        } else if (held.size() > most) {
          held.removeFirst().close();
        }
      }
      result.add("connections", connections);
      result.recordMaximum("connections at once", held.size());
      meanwhile.run();
    } finally {
      for (RawConnection connection : held) {
        connection.close();
      }
    }
  }

  private static void checkUsage(String round, ResourceUsage usage, CampaignResult result)
      throws IOException {
    long end = System.nanoTime() + SERVICE_TIMEOUT.toNanos();
    long max = usage.descriptorsBefore() + MAX_EXTRA_DESCRIPTORS_AFTERWARDS;
    while (usage.descriptors() > max && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
    usage.addTo(result);
    if (usage.descriptors() > max
        || usage.peakDescriptors()
            > usage.descriptorsBefore() + MAX_EXTRA_DESCRIPTORS_DURING_FLOODS) {
      result.addViolation(round + ": descriptors are not closed: " + usage);
    }
    if (usage.peakResidentMib() > MAX_RESIDENT_MIB) {
      result.addViolation(round + ": too much memory: " + usage);
    }
  }

  /// Ends the hub while hostile connections are open. In a long run there are those with requests
  /// in progress too, for which it waits.
  private static void end(
      String round,
      HubProcess hub,
      HubHostileClient.Target target,
      List<HubHostileClient> kinds,
      CampaignResult result)
      throws IOException, InterruptedException {
    List<RawConnection> held = new ArrayList<>();
    try {
      for (HubHostileClient kind : kinds) {
        RawConnection connection = new RawConnection(target.port(kind.door()));
        held.add(connection);
        if (connection.awaitConnected(CONNECT_TIMEOUT)) {
          boolean _ = kind.send(connection, target);
        }
      }
      long start = System.nanoTime();
      hub.terminate();
      int exit = hub.awaitExit(EXIT_TIMEOUT);
      result.recordTime("end by SIGTERM", System.nanoTime() - start);
      if (exit != 0) {
        result.addViolation(round + ": exit " + exit + ": " + hub.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation(round + ": " + notEnded.getMessage());
    } finally {
      for (RawConnection connection : held) {
        connection.close();
      }
    }
    String output = hub.output();
    result.recordMaximum("bytes of output", output.length());
    if (output.length() > MAX_OUTPUT_BYTES || output.contains("\"level\":\"SEVERE\"")) {
      result.addViolation(
          round
              + ": the hub printed "
              + output.length()
              + " bytes: "
              + output
                  .lines()
                  .filter(line -> !line.contains("\"level\":\"INFO\""))
                  .limit(5)
                  .toList());
    }
  }

  private static void checkNothingSmuggled(
      String round, Path data, HubTenant good, CampaignResult result) throws Exception {
    HubTenant hostile = HubTenant.read(data, HOSTILE_TENANT);
    for (HubTenant tenant : List.of(good, hostile)) {
      if (tenant.records().stream().anyMatch(record -> record.key().equals(HubProbes.SMUGGLED))) {
        result.addViolation(round + ": a smuggled request was taken");
      }
    }
    try (var tenants = Files.walk(data.resolve("tenants"), 2)) {
      List<String> names =
          tenants
              .filter(path -> path.getNameCount() == data.getNameCount() + 3)
              .map(path -> String.valueOf(path.getFileName()))
              .sorted()
              .toList();
      if (!names.equals(List.of("_control", TENANT, HOSTILE_TENANT))) {
        result.addViolation(round + ": the tenants are " + names);
      }
    }
  }
}
