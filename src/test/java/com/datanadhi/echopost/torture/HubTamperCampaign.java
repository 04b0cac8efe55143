package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// Somebody changes the archive or the snapshots.
///
/// A round is one object store, in which each tenant suffers another way of it. `verify` must name
/// each changed object and nothing else, `restore` must refuse what it would use, and what is put
/// back must be clean again. That an archive's end is missing must be found against the live
/// databases, snapshots and `--expect-seq`; without them, `verify` must say that it cannot judge.
final class HubTamperCampaign implements Campaign {
  private static final String UNTOUCHED = "untouched";
  private static final String END = "end-deleted";
  private static final String END_BEFORE_SNAPSHOT = "end-before-snapshot";
  private static final String END_OF_TIME = "2999-01-01T00:00:00Z";
  private static final int WAVES = 5;
  private static final int LINES = 8;
  private static final int FEW_RESTORES = 3;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /// More than the archive may be behind.
  private static final Duration LATER = Duration.ofMinutes(20);

  @Override
  public String name() {
    return "hub-tamper";
  }

  @Override
  public String description() {
    return "changed, deleted, swapped, forged and foreign objects in archive and snapshots";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      new Round(run).perform();
      run.deleteUnlessFailed(run.roundDirectory());
    }
  }

  private static final class Round {
    private final CampaignResult result;
    private final Random random;
    private final String name;
    private final Path home;
    private final Path data;
    private final HubObjects objects;
    private final List<String> tenants = new ArrayList<>();
    private final Map<Tampering, List<String>> named = new HashMap<>();
    private Map<String, String> later = Map.of();
    private final boolean isShort;
    private int restores;

    Round(CampaignRun run) throws IOException {
      this.result = run.result();
      this.random = run.random();
      this.name = "round " + run.rounds();
      this.home = Files.createDirectories(run.roundDirectory());
      this.data = home.resolve("hub");
      this.objects = new HubObjects(home.resolve("objects"));
      this.isShort = run.hasTimeLeft() && !run.hasTimeLeft(Duration.ofMinutes(1));
      tenants.add(UNTOUCHED);
      tenants.add(END);
      tenants.add(END_BEFORE_SNAPSHOT);
      Tampering.ALL.forEach(one -> tenants.add(one.tenant()));
    }

    void perform() throws Exception {
      fill();
      Path pristine = home.resolve("pristine");
      copy(objects.folder(), pristine, "");
      try (ClockShim clock = ClockShim.at(home.resolve("clock"))) {
        clock.setOffset(LATER);
        later = clock.environment();
        expectClean("untouched");
        judgeEnds();
        tamper();
        verify();
        restore();
        Directories.delete(objects.folder());
        Files.move(pristine, objects.folder());
        expectClean("put back");
        expectRestored(UNTOUCHED, objects);
      }
    }

    /// Fills archive and snapshots of all tenants.
    private void fill() throws Exception {
      try (CampaignHub hub =
          new CampaignHub(
              data,
              Map.of(),
              "--objects",
              objects.url(),
              "--archive-interval",
              "1s",
              "--snapshots",
              "off")) {
        hub.start();
        List<String> keys = hub.createKeys(tenants);
        List<HubClient> clients = keys.stream().map(key -> new HubClient(hub.url(), key)).toList();
        List<String> sources =
            tenants.stream()
                .map(_ -> new UUID(random.nextLong(), random.nextLong()).toString())
                .toList();
        for (int wave = 1; wave <= WAVES; wave++) {
          for (int i = 0; i < tenants.size(); i++) {
            send(clients.get(i), tenants.get(i), sources.get(i), wave);
          }
          awaitArchived();
          if (wave == 2 || wave == WAVES - 1) {
            hub.takeSnapshots(tenants);
          }
        }
        clients.forEach(HubClient::close);
        int exit = hub.stop();
        if (exit != 0) {
          violation("exit " + exit + " after SIGTERM");
        }
      }
    }

    private void send(HubClient client, String tenant, String source, int wave)
        throws IOException, InterruptedException {
      List<HubChecker.Sent> lines = new ArrayList<>();
      for (int i = 1; i <= LINES; i++) {
        lines.add(sent(tenant, source + "-" + ((wave - 1) * LINES + i), 1));
      }
      HubClient.Answer answer = client.postLines(lines);
      HubClient.Answer transaction = client.postTransaction(sent(tenant, "order-" + wave, 3));
      if (answer.status() != 200 || transaction.status() != 200) {
        violation("answered with " + answer + " and " + transaction);
      }
      result.add(CampaignResult.Counter.ACKNOWLEDGED, LINES + 3);
    }

    private HubChecker.Sent sent(String tenant, String key, int records) {
      List<String> payloads = new ArrayList<>();
      for (int part = 1; part <= records; part++) {
        payloads.add("{\"amount\":1,\"id\":\"" + Long.toHexString(random.nextLong()) + "\"}");
      }
      return new HubChecker.Sent(tenant, key, "[\"p\"]", payloads);
    }

    private void awaitArchived() throws IOException, TimeoutException {
      long start = System.nanoTime();
      for (String tenant : tenants) {
        long seq;
        do {
          LockSupport.parkNanos(20_000_000);
          seq = HubTenant.number(data, tenant, "SELECT seq FROM state");
          if (System.nanoTime() - start > TIMEOUT.toNanos()) {
            throw new TimeoutException("the archive of " + tenant + " stays at " + seq);
          }
        } while (seq % (LINES + 3) != 0 || seq == 0 || objects.archivedSeq(tenant) != seq);
      }
    }

    private void tamper() throws Exception {
      for (Tampering one : Tampering.ALL) {
        named.put(
            one,
            one.action().apply(new Tampering.Target(objects, one.tenant(), UNTOUCHED, random)));
      }
      result.add("ways of changing objects", Tampering.ALL.size() + 2);
    }

    private void deleteEnd(String tenant, int waves) throws IOException {
      List<Path> segments = objects.segments(tenant);
      for (Path segment : segments.subList(segments.size() - waves, segments.size())) {
        Files.delete(segment);
        Files.delete(HubObjects.checksum(segment));
      }
    }

    /// Each look must find what it can, and nothing else.
    private void verify() throws Exception {
      HubCommand.Result all = HubCommand.run(later, "verify", "all", "--data", data);
      HubCommand.Result archive = HubCommand.run("verify", "archive", "--objects", objects.url());
      HubCommand.Result snapshots =
          HubCommand.run("verify", "snapshots", "--objects", objects.url());
      for (Map.Entry<Tampering, List<String>> one : named.entrySet()) {
        expectNamed("verify all", one.getKey(), one.getValue(), all);
        switch (one.getKey().finder()) {
          case ARCHIVE -> expectNamed("verify archive", one.getKey(), one.getValue(), archive);
          case SNAPSHOTS ->
              expectNamed("verify snapshots", one.getKey(), one.getValue(), snapshots);
          case ALL -> {}
        }
      }
      for (HubCommand.Result ran : List.of(all, archive, snapshots)) {
        faults(ran, UNTOUCHED).forEach(line -> violation("a fault of sound objects: " + line));
      }
    }

    private void expectNamed(
        String command, Tampering one, List<String> names, HubCommand.Result ran) {
      boolean isNamed =
          ran.output()
              .lines()
              .anyMatch(
                  line -> isAbout(line, one.tenant()) && names.stream().anyMatch(line::contains));
      if (ran.status() != 1 || !isNamed) {
        violation(
            command
                + " does not find "
                + one.tenant()
                + ": exit "
                + ran.status()
                + ", none of "
                + names
                + " in "
                + faults(ran, one.tenant()));
      }
      result.add("faults found", 1);
    }

    private static boolean isAbout(String line, String tenant) {
      return line.contains("/" + tenant + "/")
          || line.contains("tenant " + tenant + ":")
          || (tenant.equals("unknown-folder") && line.contains("No.Tenant"));
    }

    /// The lines about a tenant, without the one that sums up.
    private static List<String> faults(HubCommand.Result ran, String tenant) {
      return ran.output()
          .lines()
          .filter(line -> isAbout(line, tenant))
          .filter(line -> !line.contains("archive complete through"))
          .filter(line -> !line.matches("tenant [^:]*: [0-9]+ sound snapshots?"))
          .toList();
    }

    private void judgeEnds() throws Exception {
      deleteEnd(END, 1);
      // Of two waves: the second snapshot has one of them.
      deleteEnd(END_BEFORE_SNAPSHOT, 2);
      long end = HubTenant.number(data, END, "SELECT seq FROM state");
      HubCommand.Result alone =
          HubCommand.run("verify", "archive", "--objects", objects.url(), "--tenant-id", END);
      expect("an archive without its end", alone, 0, "what came after cannot be judged");
      expect(
          "--expect-seq and a missing end",
          HubCommand.run(
              "verify",
              "archive",
              "--objects",
              objects.url(),
              "--tenant-id",
              END,
              "--expect-seq",
              end),
          1,
          "archive/" + END);
      expect(
          "a live database and a missing end",
          HubCommand.run(later, "verify", "all", "--data", data, "--tenant-id", END),
          1,
          "the archive ends with seq");
      expect(
          "a snapshot and a missing end",
          HubCommand.run(
              later,
              "verify",
              "all",
              "--objects",
              objects.url(),
              "--tenant-id",
              END_BEFORE_SNAPSHOT),
          1,
          "archive/" + END_BEFORE_SNAPSHOT);
      expect(
          "a restore to a missing end",
          HubCommand.run(
              "restore",
              "--objects",
              objects.url(),
              "--tenant-id",
              END,
              "--target-seq",
              end,
              "--output-dir",
              home.resolve("never")),
          1,
          "there is no record with seq " + end);
    }

    private void expect(String what, HubCommand.Result ran, int status, String text) {
      if (ran.status() != status || !ran.output().contains(text)) {
        violation(what + ": exit " + ran.status() + ": " + ran.output());
      }
    }

    /// As many as there is time for.
    private void restore() throws Exception {
      HubObjects archiveOnly = new HubObjects(home.resolve("archive-only"));
      copy(objects.folder(), archiveOnly.folder(), "archive");
      List<Tampering> order = new ArrayList<>(Tampering.ALL);
      Collections.shuffle(order, random);
      for (Tampering one : order) {
        if (restores >= FEW_RESTORES && isShort) {
          return;
        }
        restore(one, one.finder() == Tampering.Finder.ARCHIVE ? archiveOnly : objects);
      }
    }

    private void restore(Tampering one, HubObjects from) throws Exception {
      Path output = home.resolve("restored-" + ++restores);
      HubCommand.Result ran = run(one.tenant(), from, output);
      if (ran.status() == 0) {
        List<String> differences = differences(one.tenant(), output);
        if (one.outcome() == Tampering.Outcome.REFUSED || !differences.isEmpty()) {
          violation("restored from changed objects: " + one.tenant() + " " + differences);
        }
      } else if (ran.status() != 1
          || named.getOrDefault(one, List.of()).stream().noneMatch(ran.output()::contains)
          || Files.exists(output)) {
        violation(
            "the refusal does not name "
                + named.get(one)
                + ": exit "
                + ran.status()
                + ": "
                + ran.output());
      } else {
        result.add("restores refused", 1);
      }
      Directories.delete(output);
    }

    private static HubCommand.Result run(String tenant, HubObjects from, Path output)
        throws IOException, InterruptedException {
      return HubCommand.run(
          "restore",
          "--objects",
          from.url(),
          "--tenant-id",
          tenant,
          "--target-time",
          END_OF_TIME,
          "--output-dir",
          output);
    }

    private List<String> differences(String tenant, Path restored) throws Exception {
      HubTenant live = HubTenant.read(data, tenant);
      return new HubCut(data, live, live.records().size()).differences(restored);
    }

    private void expectRestored(String tenant, HubObjects from) throws Exception {
      Path output = home.resolve("restored-" + ++restores);
      HubCommand.Result ran = run(tenant, from, output);
      List<String> differences = differences(tenant, output);
      if (ran.status() != 0 || !differences.isEmpty()) {
        violation("a restore of sound objects: " + ran + " " + differences);
      }
    }

    private void expectClean(String what) throws Exception {
      expect(what, HubCommand.run(later, "verify", "all", "--data", data), 0, "no fault");
    }

    private static void copy(Path from, Path to, String folder) throws IOException {
      for (Path file : HubObjects.files(from.resolve(folder), "")) {
        Path target = to.resolve(from.relativize(file));
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }

    private void violation(String text) {
      result.addViolation(name + ": " + text);
    }
  }
}
