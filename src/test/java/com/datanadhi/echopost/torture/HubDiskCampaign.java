package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Shims;
import com.datanadhi.testkit.SmallDisk;
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
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// A hub whose disk is full, fails, or takes no writes, while senders send.
///
/// A round is one directory and one kind of fault. Senders repeat each call until it is answered
/// with success, and count every other answer than 503 with `Retry-After` as a violation. The hub
/// goes on or ends with status 1, is started on the failing disk and again on a sound one. When the
/// fault is over, it must accept records without help. At the end every acknowledged record must be
/// in its tenant's database, once and in order.
final class HubDiskCampaign implements Campaign {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final List<String> TENANTS = List.of("acme", "globex", "initech");
  private static final String SEGMENT_BYTES = "256KiB";
  private static final List<String> FILES =
      List.of(
          "*.log",
          "*.log",
          "*.new",
          "*.idx",
          "state*",
          "canonical.db-wal",
          "canonical.db",
          "mailbox.db*",
          "applied-through*",
          "append-probe",
          "*");
  private static final int MAX_CALLS_BEFORE_FAULT = 12;

  @Override
  public String name() {
    return "hub-disk";
  }

  @Override
  public String description() {
    return "a hub whose disk is full, fails with EIO, or takes no writes";
  }

  @Override
  public String skipReason() {
    return SmallDisk.skipReason() + Shims.skipReason();
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      Path home = run.roundDirectory();
      switch ((int) (run.rounds() % 4)) {
        case 1 -> {
          try (SmallDisk disk = SmallDisk.mount(home, "96m")) {
            new Round(run, home.resolve("data"), Map.of(), "a full disk").full(disk);
          }
        }
        case 2, 0 -> {
          Files.createDirectories(home);
          DiskShim shim = new DiskShim(home);
          new Round(run, shim.directory(), shim.environment(), "EIO").failing(shim);
        }
        default -> {
          try (SmallDisk disk = SmallDisk.mount(home, "96m")) {
            new Round(run, home.resolve("data"), Map.of(), "no writes").withoutWrites(disk);
          }
        }
      }
      run.deleteUnlessFailed(home);
    }
  }

  private static final class Round {
    private final Random random;
    private final CampaignResult result;
    private final Path data;
    private final Map<String, String> environment;
    private final Map<SourceSender, Long> acknowledgedAtMoment = new HashMap<>();
    private long moment;
    private String name;

    Round(CampaignRun run, Path data, Map<String, String> environment, String fault) {
      this.random = run.random();
      this.result = run.result();
      this.data = data;
      this.environment = environment;
      this.name = "round " + run.rounds() + ", " + fault;
    }

    @FunctionalInterface
    private interface Attack {
      void run(CampaignHub hub, SourceSenders senders) throws Exception;
    }

    /// Starts a hub, lets the disk fail, and checks what is stored.
    private void attack(Attack attack) throws Exception {
      try (CampaignHub hub = new CampaignHub(data, environment, "--segment-bytes", SEGMENT_BYTES)) {
        hub.start();
        List<SourceSender> all;
        try (SourceSenders senders = new SourceSenders(hub::url, result)) {
          for (String tenant : TENANTS) {
            senders.add(
                tenant,
                hub.createKey(tenant),
                new UUID(random.nextLong(), random.nextLong()),
                1 + random.nextInt(40),
                100 + random.nextInt(2_000),
                3_000_000);
          }
          senders.awaitMore(1 + random.nextInt(200), TIMEOUT);
          attack.run(hub, senders);
          recover(hub, senders);
          all = senders.close(hub, name, TIMEOUT);
        }
        for (String tenant : TENANTS) {
          SourceCheck.of(data, tenant, all.stream().filter(s -> s.tenant().equals(tenant)).toList())
              .report(name, Set.of(), result);
        }
      }
    }

    /// The fault is over: records must be accepted by the hub that runs, or by the next one if it
    /// has ended.
    private void recover(CampaignHub hub, SourceSenders senders) throws Exception {
      long start = System.nanoTime();
      while (System.nanoTime() - start < TIMEOUT.toNanos()) {
        if (!hub.process().isAlive()) {
          restart(hub);
          hub.awaitServing();
        }
        if (senders.isEachAnswered(Duration.ofSeconds(1))) {
          result.recordTime("time to accept again", System.nanoTime() - start);
          return;
        }
      }
      result.addViolation(
          name
              + ": no record is accepted after the fault: "
              + senders.lastRefusals()
              + hub.process().output());
    }

    private void restart(CampaignHub hub) throws Exception {
      ended(hub);
      HubProcess _ = hub.spawn();
    }

    /// The hub has ended because of the disk.
    private void ended(CampaignHub hub) throws Exception {
      try (HubProcess process = hub.process()) {
        int exit = process.awaitExit(TIMEOUT);
        result.add("exits with status " + exit, 1);
        if (exit != 1) {
          result.addViolation(name + ": exit " + exit + ": " + process.output());
        }
      } catch (TimeoutException stuck) {
        result.addViolation(name + ": " + stuck.getMessage());
      }
    }

    void full(SmallDisk disk) throws Exception {
      attack((hub, senders) -> {
        for (int times = 0; times < 2; times++) {
          Path filling = disk.fill();
          boolean killed = random.nextBoolean();
          if (killed) {
            hub.process().kill();
            hub.process().close();
            hub.spawn();
            boolean served = hub.awaitServing();
            result.add(served ? "starts on a full disk" : "refused starts on a full disk", 1);
          }
          if (hub.process().isAlive()) {
            senders.awaitRefusal(TIMEOUT, name);
          }
          LockSupport.parkNanos(random.nextLong(700_000_000));
          disk.fill();
          LockSupport.parkNanos(random.nextLong(700_000_000));
          if (!killed && !hub.process().isAlive()) {
            result.addViolation(name + ": the hub ended on a full disk: " + hub.process().output());
          }
          Files.delete(filling);
          recover(hub, senders);
          result.add("times the disk was full", 1);
        }
      });
    }

    void failing(DiskShim shim) throws Exception {
      DiskShim.Call call =
          List.of(DiskShim.Call.READ, DiskShim.Call.WRITE, DiskShim.Call.SYNC)
              .get(random.nextInt(3));
      String file = FILES.get(random.nextInt(FILES.size()));
      int nth = 1 + random.nextInt(MAX_CALLS_BEFORE_FAULT);
      boolean untilCleared = random.nextBoolean();
      name +=
          " from "
              + call
              + " of "
              + file
              + (untilCleared ? ", until cleared" : ", once")
              + ", from call "
              + nth;
      attack((hub, senders) -> {
        long before = shim.failures();
        shim.fail(call, file, nth, untilCleared);
        for (int i = 0; i < (untilCleared ? 2 : 1); i++) {
          LockSupport.parkNanos(700_000_000);
          if (!hub.process().isAlive()) {
            restart(hub);
            hub.awaitServing();
          } else if (random.nextInt(4) == 0) {
            hub.process().kill();
            hub.process().close();
            hub.spawn();
            hub.awaitServing();
          } else {
            result.add("hubs that survived a fault", 1);
          }
        }
        rememberMoment(shim, senders);
        shim.clearFaults();
        result.add("failed calls", shim.failures() - before);
      });
      cutPower(shim);
    }

    /// Notes what was acknowledged, and then how long the journal is.
    private void rememberMoment(DiskShim shim, SourceSenders senders) {
      for (SourceSender sender : senders.all()) {
        acknowledgedAtMoment.put(sender, sender.acknowledged());
      }
      moment = shim.journalLength();
    }

    /// A failed sync leaves what it covered on the disk or not, whatever the page cache shows. So
    /// the power fails at the moment when the fault ends: what was acknowledged must be there.
    private void cutPower(DiskShim shim) throws Exception {
      Path disk = shim.disk().resolveSibling("cut");
      DiskModel model = new DiskModel(DiskModel.Syncs.HONOURED, random);
      try (DiskJournal journal = new DiskJournal(shim.journal())) {
        DiskJournal.JournaledChange change = journal.next();
        while (change != null && change.end() <= moment) {
          model.apply(change);
          change = journal.next();
        }
      }
      model.cutPower(disk, random);
      Path cut = DiskShim.directoryOn(disk);
      List<SourceSender> senders = List.copyOf(acknowledgedAtMoment.keySet());
      try (CampaignHub hub = new CampaignHub(cut, Map.of(), "--segment-bytes", SEGMENT_BYTES)) {
        hub.start();
        if (!hub.awaitAppliedAll(TIMEOUT)) {
          result.addViolation(
              name
                  + ": not everything is applied after a power cut: "
                  + hub.status()
                  + hub.process().output());
        }
        int _ = hub.stop();
      }
      for (String tenant : TENANTS) {
        SourceCheck.of(
                cut,
                tenant,
                senders.stream().filter(s -> s.tenant().equals(tenant)).toList(),
                acknowledgedAtMoment::get)
            .report(name + ", then a power cut", Set.of(), result);
      }
      result.add("power cuts", 1);
    }

    void withoutWrites(SmallDisk disk) throws Exception {
      attack((hub, senders) -> {
        List<Path> directories = new ArrayList<>();
        directories.add(data);
        directories.add(data.resolve("log"));
        directories.add(data.resolve("log").resolve("events-0"));
        directories.add(data.resolve("log").resolve("events-0"));
        directories.add(data.resolve("tenants"));
        directories.add(HubTenant.directory(data, TENANTS.getFirst()));
        Path directory = directories.get(random.nextInt(directories.size()));
        boolean immutable = makeImmutable(directory, true);
        if (immutable) {
          name += " into " + data.relativize(directory);
          LockSupport.parkNanos(1_000_000_000);
          if (random.nextBoolean()) {
            hub.process().kill();
            hub.process().close();
            hub.spawn();
            hub.awaitServing();
          }
          makeImmutable(directory, false);
          recover(hub, senders);
        }
        // A file system with open files cannot be made read-only from outside.
        hub.process().kill();
        hub.process().close();
        disk.remountReadOnly();
        hub.spawn();
        if (hub.awaitServing()) {
          result.addViolation(name + ": a hub serves on a read-only file system");
        }
        ended(hub);
        disk.remountWritable();
        hub.spawn();
        hub.awaitServing();
      });
    }

    /// Not even root can create, rename or remove a file in an immutable directory.
    private static boolean makeImmutable(Path directory, boolean immutable)
        throws IOException, InterruptedException {
      return new ProcessBuilder("chattr", immutable ? "+i" : "-i", directory.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    }
  }
}
