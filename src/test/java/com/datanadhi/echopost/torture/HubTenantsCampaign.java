package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.ProcessMemory;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.HubProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Many tenants in one hub, of which three are in trouble: one has a broken database, one has a log
/// record that a newer version wrote, one floods.
///
/// The others must not notice. The hub keeps a bounded number of databases open and its memory does
/// not grow. The tenant with the poison record is parked, its records are accepted, `status` names
/// the record, `skip` passes over it, and a rebuild from nothing has the same records and the same
/// quarantine.
final class HubTenantsCampaign implements Campaign {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final int FEW = 300;
  private static final int MANY = 5_000;
  private static final int CHECKED = 300;
  private static final int CROWD_THREADS = 16;
  private static final int MAX_OPEN_DATABASES = 256;
  private static final long MAX_GROWTH_BYTES = 64L << 20;
  private static final String BROKEN = "broken";
  private static final String POISON = "poison";
  private static final String FLOOD = "flood";
  private static final Pattern POISON_LINE =
      Pattern.compile("skip --position ([0-9a-f]{8}/events-0:[0-9]+)");

  @Override
  public String name() {
    return "hub-tenants";
  }

  @Override
  public String description() {
    return FEW
        + " tenants, or "
        + MANY
        + " from 60 s on: one with a broken database, one with a poison record, one that floods";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      int tenants = run.hasTimeLeft(Duration.ofSeconds(55)) ? MANY : FEW;
      new Round(run, tenants).run();
      run.deleteUnlessFailed(run.roundDirectory());
      if (!run.hasTimeLeft(Duration.ofSeconds(10))) {
        // Another round takes longer than that.
        return;
      }
    }
  }

  private static final class Round {
    private final CampaignRun run;
    private final CampaignResult result;
    private final Random random;
    private final Path data;
    private final String name;
    private final List<String> quiet = new ArrayList<>();
    private String poisonKey = "";

    Round(CampaignRun run, int tenants) {
      this.run = run;
      this.result = run.result();
      this.random = run.random();
      this.data = run.roundDirectory();
      this.name = "round " + run.rounds();
      for (int i = 0; i < tenants; i++) {
        quiet.add("t" + i);
      }
    }

    private void violation(String text) {
      result.addViolation(name + ": " + text);
    }

    void run() throws Exception {
      try (CampaignHub hub = new CampaignHub(data, Map.of(), "--segment-bytes", "1MiB");
          SourceSenders senders = new SourceSenders(hub::url, result)) {
        hub.start();
        List<String> names = new ArrayList<>(List.of(BROKEN, POISON, FLOOD));
        names.addAll(quiet);
        List<String> keys = hub.createKeys(names);
        for (int i = 0; i < names.size(); i++) {
          UUID source = new UUID(random.nextLong(), random.nextLong());
          boolean floods = names.get(i).equals(FLOOD);
          senders.addIdle(names.get(i), keys.get(i), source, floods ? 400 : 3, 300, 0);
        }
        List<SourceSender> all = senders.all();
        SourceSender broken = all.get(0);
        SourceSender poison = all.get(1);
        SourceSender flood = all.get(2);
        List<SourceSender> crowd = all.subList(3, all.size());
        step(crowd, "quiet tenants");
        for (int i = 0; i < 10; i++) {
          broken.step();
          poison.step();
        }
        awaitAppliedAll(hub);
        hub.stop();

        breakDatabase();
        writePoison();
        hub.start();
        flood.start();
        step(List.of(broken, poison), "tenants in trouble");
        step(crowd, "quiet tenants beside them");
        long memory = residentBytes(hub);
        String position = awaitPoison(hub);
        for (int i = 0; (i < 4 && run.hasTimeLeft(Duration.ofSeconds(7))) || i < 1; i++) {
          step(crowd, "quiet tenants beside them");
          step(List.of(broken, poison), "tenants in trouble");
        }
        checkResources(hub, memory);
        if (!hub.status().contains("\"tenant\":\"" + POISON + "\"")) {
          violation("the tenant is not parked: " + hub.status());
        }
        CampaignHub.Ran skipped =
            hub.command("skip", "--position", position, "--reason", "the campaign's");
        if (skipped.status() != 0) {
          violation("skip: exit " + skipped.status() + ": " + skipped.output());
        }
        step(List.of(broken, poison), "tenants in trouble");
        List<SourceSender> ended = senders.close(hub, name, TIMEOUT);
        check(ended, CHECKED);
        rebuild(hub, ended);
      }
    }

    /// Lets each of these senders make a call, several at a time.
    private void step(List<SourceSender> senders, String who) throws InterruptedException {
      long start = System.nanoTime();
      List<Long> nanos = java.util.Collections.synchronizedList(new ArrayList<>());
      try (ExecutorService threads =
          Executors.newFixedThreadPool(CROWD_THREADS, Thread.ofVirtual().factory())) {
        for (SourceSender sender : senders) {
          var _ =
              threads.submit(() -> {
                long began = System.nanoTime();
                boolean _ = sender.step();
                nanos.add(System.nanoTime() - began);
              });
        }
      }
      if (System.nanoTime() - start > TIMEOUT.toNanos()) {
        violation(who + " were not served in time");
      }
      List<Long> sorted = nanos.stream().sorted().toList();
      result.recordTime("p99 of " + who, sorted.get((int) (sorted.size() * 0.99)));
    }

    private void awaitAppliedAll(CampaignHub hub) {
      if (!hub.awaitAppliedAll(TIMEOUT)) {
        violation("not everything is applied: " + hub.status() + hub.process().output());
      }
    }

    private void breakDatabase() throws IOException {
      Path database = HubTenant.database(data, BROKEN);
      byte[] bytes = Files.readAllBytes(database);
      Arrays.fill(bytes, 0, Math.min(bytes.length, 8_192), (byte) 0x55);
      Files.write(database, bytes);
    }

    /// Gives one of the tenant's log records the version of a later program. The database that has
    /// applied it is deleted.
    private void writePoison() throws IOException {
      Directories.delete(HubTenant.directory(data, POISON));
      List<HubSegment> segments = HubSegment.all(data);
      for (HubSegment segment : segments) {
        for (HubSegment.Frame frame : segment.frames()) {
          String text = new String(frame.payload(), java.nio.charset.StandardCharsets.ISO_8859_1);
          String key = frame.key();
          if (key != null && text.contains(POISON) && key.endsWith("-5")) {
            byte[] payload = frame.payload().clone();
            payload[1] = 99;
            segment.replacePayload(frame, payload);
            poisonKey = key;
            return;
          }
        }
      }
      throw new IllegalStateException("the log has no record of " + POISON);
    }

    /// Waits until `status` names the record.
    ///
    /// @return its position
    private String awaitPoison(CampaignHub hub) throws Exception {
      long start = System.nanoTime();
      while (!hub.status().contains("\"poison\":[{")
          && System.nanoTime() - start < 30_000_000_000L) {
        LockSupport.parkNanos(50_000_000);
      }
      CampaignHub.Ran status = hub.command("status");
      Matcher position = POISON_LINE.matcher(status.output());
      if (!position.find()) {
        throw new IllegalStateException(
            "status does not name the record: " + status.output() + hub.process().output());
      }
      return position.group(1);
    }

    private void checkResources(CampaignHub hub, long memoryBefore) throws IOException {
      long memory = residentBytes(hub);
      result.recordMaximum("resident MiB", memory >> 20);
      result.recordMaximum("growth in MiB", Math.max(0, memory - memoryBefore) >> 20);
      if (memory - memoryBefore > MAX_GROWTH_BYTES) {
        violation("resident memory grew from " + memoryBefore + " to " + memory);
      }
      Set<String> open = new HashSet<>();
      try (var descriptors =
          Files.list(Path.of("/proc", Long.toString(hub.process().handle().pid()), "fd"))) {
        for (Path descriptor : descriptors.toList()) {
          try {
            String file = Files.readSymbolicLink(descriptor).toString();
            if (file.endsWith(".db")) {
              open.add(file);
            }
          } catch (IOException closed) {
            // It was closed meanwhile.
          }
        }
      }
      result.recordMaximum("open databases", open.size());
      if (open.size() > MAX_OPEN_DATABASES) {
        violation(open.size() + " databases are open");
      }
    }

    private static long residentBytes(CampaignHub hub) throws IOException {
      return new ProcessMemory(hub.process().handle().pid()).resident();
    }

    private void check(List<SourceSender> senders, int limit) throws Exception {
      for (SourceSender sender : senders.subList(0, Math.min(limit, senders.size()))) {
        SourceCheck found = SourceCheck.of(data, sender.tenant(), List.of(sender));
        boolean isPoison = sender.tenant().equals(POISON);
        found.report(name, isPoison ? Set.of(poisonKey) : Set.of(), result);
        if (isPoison && !found.missing().contains(poisonKey)) {
          violation("the skipped record is stored");
        }
      }
      String quarantine = quarantine();
      if (!quarantine.matches("1 [0-9]+ the campaign's")) {
        violation("the quarantine has: " + quarantine);
      }
    }

    private String quarantine() throws Exception {
      try (Connection connection =
              DriverManager.getConnection(
                  "jdbc:sqlite:file:" + HubTenant.database(data, POISON) + "?mode=ro");
          Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT count(*), min(record_offset), min(reason) FROM quarantine")) {
        return row.getLong(1) + " " + row.getLong(2) + " " + row.getString(3);
      }
    }

    /// Deletes databases: the rebuilt ones must have the same content.
    private void rebuild(CampaignHub hub, List<SourceSender> senders) throws Exception {
      List<SourceSender> some = new ArrayList<>(senders.subList(0, 6));
      List<String> chains = new ArrayList<>();
      for (SourceSender sender : some) {
        chains.add(HubTenant.read(data, sender.tenant()).chain());
      }
      String quarantine = quarantine();
      for (SourceSender sender : some) {
        Directories.delete(HubTenant.directory(data, sender.tenant()));
      }
      hub.start();
      awaitAppliedAll(hub);
      try (HubProcess process = hub.process()) {
        process.terminate();
        process.awaitExit(TIMEOUT);
      }
      for (int i = 0; i < some.size(); i++) {
        String tenant = some.get(i).tenant();
        String chain = HubTenant.read(data, tenant).chain();
        if (!chain.equals(chains.get(i))) {
          violation("the rebuilt chain of " + tenant + " is " + chain + ", was " + chains.get(i));
        }
      }
      if (!quarantine.equals(quarantine())) {
        violation("the rebuilt quarantine is " + quarantine() + ", was " + quarantine);
      }
    }
  }
}
