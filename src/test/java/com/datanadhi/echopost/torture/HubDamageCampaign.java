package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Damage to the files of a hub's directory: to the log while it is stopped, to databases also
/// while it runs.
///
/// A round is one directory with three tenants. Senders send; the hub is killed or stopped; files
/// are damaged; the hub starts, must accept records at once, and must apply everything whose bytes
/// are not damaged, without help. `verify log` must name each damaged record, and the hub's log and
/// metrics must tell of it. Only damage to `control` may make it answer 503, never 401, until its
/// segments are put back. While a deleted database is rebuilt, other tenants must not wait longer.
/// At the end each database must have every acknowledged record that was not damaged; a database
/// with damage that nothing has used yet is deleted, as an operator would, and the rebuilt one must
/// be right.
final class HubDamageCampaign implements Campaign {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final List<String> TENANTS = List.of("acme", "globex", "initech");
  private static final int PAGE_BYTES = 4096;
  private static final Duration CONTROL_TIMEOUT = Duration.ofSeconds(3);
  private static final int ENOUGH_CALLS = 100;
  private static final long UNNOTICEABLE_MICROS = 250_000;
  private static final Pattern RANGE =
      Pattern.compile("(?m)^(events-0|control)[^ ]*: records ([0-9]+) to ([0-9]+)");
  private static final Pattern DAMAGED_SEGMENTS =
      Pattern.compile("(?m)^hub_log_damaged_segments ([0-9.]+)");

  @Override
  public String name() {
    return "hub-damage";
  }

  @Override
  public String description() {
    return "flipped bits, zeroed pages, truncated and missing files in the hub's log and databases";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    List<Long> usual = new ArrayList<>();
    List<Long> duringRebuilds = new ArrayList<>();
    while (run.startNextRound()) {
      new Round(run, usual, duringRebuilds).run();
      run.deleteUnlessFailed(run.roundDirectory());
    }
    compare(usual, duringRebuilds, run.result());
  }

  /// One tenant's rebuild must not be felt by the others.
  private static void compare(List<Long> usual, List<Long> duringRebuilds, CampaignResult result) {
    if (usual.size() < ENOUGH_CALLS || duringRebuilds.size() < ENOUGH_CALLS) {
      return;
    }
    long before = p99Micros(usual);
    long during = p99Micros(duringRebuilds);
    result.add("p99 of a call, in µs", before);
    result.add("beside a rebuild", during);
    if (during > Math.max(10 * before, UNNOTICEABLE_MICROS)) {
      result.addViolation(
          "beside a rebuild the p99 of other tenants was "
              + during
              + " µs, else "
              + before
              + " µs");
    }
  }

  private static long p99Micros(List<Long> nanos) {
    List<Long> sorted = nanos.stream().sorted().toList();
    return sorted.get(sorted.size() * 99 / 100) / 1_000;
  }

  private static final class Round {
    private final Random random;
    private final CampaignResult result;
    private final Path data;
    private final long number;
    private final List<String> damages = new ArrayList<>();
    private final Set<String> damagedTenants = new HashSet<>();
    private final Set<String> lossAllowed = new HashSet<>();

    /// Offsets whose damage is evident.
    private final Set<Long> damagedOffsets = new TreeSet<>();

    /// The hub waits for a while before it gives records up: too long for the end of a short run.
    private final boolean mayDamageLog;

    /// In a short run there is no time for another rebuild.
    private final boolean mayMeasure;

    private boolean logIsDamaged;
    private boolean stateIsDamaged;
    private boolean isStoppedInOrder;

    /// Of the stream `control`, before its damage; empty without any.
    private final Map<Path, byte[]> soundControl = new HashMap<>();

    private final Set<Long> damagedControlOffsets = new TreeSet<>();
    private final List<Long> usualTimes;
    private final List<Long> rebuildTimes;

    Round(CampaignRun run, List<Long> usualTimes, List<Long> rebuildTimes) {
      this.usualTimes = usualTimes;
      this.rebuildTimes = rebuildTimes;
      this.random = run.random();
      this.result = run.result();
      this.data = run.roundDirectory();
      this.number = run.rounds();
      this.mayDamageLog =
          number == 1 || !run.hasTimeLeft() || run.hasTimeLeft(Duration.ofSeconds(9));
      this.mayMeasure = !run.hasTimeLeft() || run.hasTimeLeft(Duration.ofSeconds(20));
    }

    private String name() {
      return "round " + number + ", " + String.join(", ", damages);
    }

    void run() throws Exception {
      try (CampaignHub hub = new CampaignHub(data, Map.of(), "--segment-bytes", "64KiB")) {
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
                2_000_000);
          }
          senders.awaitMore(300 + random.nextInt(1_500), TIMEOUT);
          boolean inOrder = random.nextInt(4) == 0;
          if (inOrder) {
            int exit = hub.stop();
            if (exit != 0) {
              result.addViolation(name() + ": exit " + exit + " after SIGTERM");
            }
          } else {
            hub.process().kill();
            hub.process().close();
            result.add(CampaignResult.Counter.KILLS, 1);
          }
          damages.add(inOrder ? "stopped" : "killed");
          isStoppedInOrder = inOrder;
          damageStopped();
          hub.start();
          if (!soundControl.isEmpty() && !senders.isEachAnswered(CONTROL_TIMEOUT)) {
            putBackControl(hub);
          }
          if (!senders.isEachAnswered(TIMEOUT)) {
            result.addViolation(
                name()
                    + ": no record is accepted after the damage: "
                    + senders.lastRefusals()
                    + hub.process().output());
          }
          if (random.nextBoolean()) {
            damageRunning();
            senders.awaitMore(100, TIMEOUT);
          }
          if (mayMeasure && !logIsDamaged) {
            rebuildBesideOthers(hub, senders);
          }
          verifyLog(hub);
          LockSupport.parkNanos(random.nextLong(300_000_000));
          all = senders.close(hub, name(), TIMEOUT);
        }
        check(hub, all);
      }
    }

    private void damageStopped() throws IOException {
      int count = 1 + random.nextInt(3);
      for (int i = 0; i < count; i++) {
        switch (random.nextInt(14)) {
          case 10 -> {
            if (mayDamageLog && !logIsDamaged && !stateIsDamaged) {
              deleteOldest();
            }
          }
          case 11 -> damageControl();
          case 12 -> {
            // The state file alone tells what is missing at the start.
            if (!logIsDamaged && soundControl.isEmpty()) {
              stateIsDamaged = true;
              damageFile(data.resolve("log").resolve("state"));
            }
          }
          case 0 -> tearEnd();
          case 1, 2 -> {
            if (mayDamageLog) {
              damageSegment();
            }
          }
          case 3 -> damageIndexes();
          case 4, 5 -> damageDatabase(randomTenant(), "canonical.db");
          case 6 -> damageDatabase(randomTenant(), "mailbox.db");
          case 7 -> damageDatabase("_control", "canonical.db");
          case 8 -> damageFile(data.resolve("applied-through"));
          default -> {
            damages.add("no databases");
            Directories.delete(data.resolve("tenants"));
            damagedTenants.addAll(TENANTS);
          }
        }
      }
    }

    private void damageRunning() throws IOException {
      damages.add("while it runs:");
      String tenant = random.nextInt(4) == 0 ? "_control" : randomTenant();
      damageDatabase(
          tenant,
          tenant.equals("_control") || random.nextBoolean() ? "canonical.db" : "mailbox.db");
    }

    private String randomTenant() {
      return TENANTS.get(random.nextInt(TENANTS.size()));
    }

    /// Garbage behind the last record of the open segment, as a torn write leaves it.
    private void tearEnd() throws IOException {
      List<HubSegment> segments = HubSegment.all(data);
      HubSegment last = segments.isEmpty() ? null : segments.getLast();
      if (last == null || last.isSealed() || last.frames().isEmpty()) {
        return;
      }
      int from = last.frames().getLast().end();
      byte[] bytes = last.bytes().clone();
      int length = Math.min(bytes.length - from, 1 + random.nextInt(3_000));
      byte[] garbage = new byte[Math.max(0, length)];
      random.nextBytes(garbage);
      System.arraycopy(garbage, 0, bytes, from, garbage.length);
      Files.write(last.file(), bytes);
      damages.add("a torn end");
    }

    private void damageSegment() throws IOException {
      List<HubSegment> segments = HubSegment.all(data);
      if (segments.isEmpty()) {
        return;
      }
      int index = random.nextInt(segments.size());
      HubSegment segment = segments.get(index);
      byte[] after = damaged(segment.bytes(), "segment " + index + " of " + segments.size());
      boolean isOpen = index == segments.size() - 1 && !segment.isSealed();
      logIsDamaged = true;
      if (after.length == 0) {
        Files.delete(segment.file());
      } else {
        boolean _ = segment.file().toFile().setWritable(true);
        Files.write(segment.file(), after);
      }
      // Only later records tell that the end of an open segment had been synced.
      long synced = isOpen ? 0 : Long.MAX_VALUE;
      for (HubSegment.Frame frame : segment.frames()) {
        if (isOpen && !isChanged(segment.bytes(), after, frame)) {
          synced = Math.max(synced, frame.synced());
        }
      }
      boolean isCut = false;
      for (HubSegment.Frame frame : segment.frames()) {
        String key = frame.key();
        boolean isChanged = isChanged(segment.bytes(), after, frame);
        isCut |= isChanged && frame.offset() >= synced;
        if (key != null && (isChanged || isCut)) {
          lossAllowed.add(key);
          if (isChanged && frame.offset() < synced && after.length > 0) {
            damagedOffsets.add(frame.offset());
          }
        }
      }
    }

    private void deleteOldest() throws IOException {
      List<HubSegment> segments = HubSegment.all(data);
      int count = Math.min(segments.size() - 1, 1 + random.nextInt(3));
      for (HubSegment segment : segments.subList(0, Math.max(0, count))) {
        logIsDamaged = true;
        for (HubSegment.Frame frame : segment.frames()) {
          String key = frame.key();
          if (key != null) {
            lossAllowed.add(key);
            damagedOffsets.add(frame.offset());
          }
        }
        Files.delete(segment.file());
      }
      damages.add("the oldest " + count + " of " + segments.size() + " segments deleted");
    }

    /// Damage that can be told from a torn end: else a key that was created last was never there.
    private void damageControl() throws IOException {
      List<HubSegment> segments = HubSegment.all(data, "control");
      if (segments.isEmpty() || stateIsDamaged || !soundControl.isEmpty()) {
        return;
      }
      HubSegment segment = segments.getLast();
      byte[] after;
      if (isStoppedInOrder) {
        after = damaged(segment.bytes(), "control");
      } else if (segment.frames().size() > 1) {
        after = segment.bytes().clone();
        int from = segment.frames().getFirst().position();
        int position = from + random.nextInt(segment.frames().getLast().position() - from);
        after[position] ^= 4;
        damages.add("a bit flipped in control");
      } else {
        return;
      }
      for (HubSegment one : segments) {
        soundControl.put(one.file(), one.bytes());
      }
      for (HubSegment.Frame frame : segment.frames()) {
        if (!frame.isSeal() && isChanged(segment.bytes(), after, frame)) {
          damagedControlOffsets.add(frame.offset());
        }
      }
      Files.delete(segment.file());
      if (after.length > 0) {
        Files.write(segment.file(), after);
      }
    }

    /// As an operator does who has a copy.
    private void putBackControl(CampaignHub hub) throws Exception {
      hub.process().kill();
      hub.process().close();
      Path directory = data.resolve("log").resolve("control");
      try (var files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      for (Map.Entry<Path, byte[]> segment : soundControl.entrySet()) {
        Files.write(segment.getKey(), segment.getValue());
      }
      soundControl.clear();
      damagedControlOffsets.clear();
      damages.add("control put back");
      result.add("answered 503 until control was put back", 1);
      hub.start();
    }

    /// Deletes a database of the running hub, and compares how long the others' calls take.
    private void rebuildBesideOthers(CampaignHub hub, SourceSenders senders) throws Exception {
      String tenant = randomTenant();
      List<SourceSender> others =
          senders.all().stream().filter(sender -> !sender.tenant().equals(tenant)).toList();
      if (!hub.awaitAppliedAll(TIMEOUT)) {
        return;
      }
      others.forEach(SourceSender::takeTimes);
      senders.awaitMore(1_000, TIMEOUT);
      others.forEach(sender -> usualTimes.addAll(sender.takeTimes()));
      damages.add("while it runs: no database of " + tenant);
      damagedTenants.add(tenant);
      Files.deleteIfExists(HubTenant.directory(data, tenant).resolve("canonical.db"));
      long deadline = System.nanoTime() + Duration.ofSeconds(3).toNanos();
      while (hub.status().contains("\"parked\":[]") && System.nanoTime() < deadline) {
        LockSupport.parkNanos(20_000_000);
      }
      while (!hub.status().contains("\"parked\":[]")
          && System.nanoTime() < deadline + TIMEOUT.toNanos()) {
        LockSupport.parkNanos(20_000_000);
      }
      others.forEach(sender -> rebuildTimes.addAll(sender.takeTimes()));
      result.add("rebuilds beside others", 1);
    }

    private static boolean isChanged(byte[] before, byte[] after, HubSegment.Frame frame) {
      return frame.end() > after.length
          || !Arrays.equals(
              before, frame.position(), frame.end(), after, frame.position(), frame.end());
    }

    private void damageIndexes() throws IOException {
      List<Path> indexes;
      String stream = random.nextInt(4) == 0 ? "control" : "events-0";
      try (var files = Files.list(data.resolve("log").resolve(stream))) {
        indexes = files.filter(file -> file.toString().endsWith(".idx")).sorted().toList();
      }
      for (Path index : indexes) {
        if (random.nextBoolean()) {
          damageFile(index);
        }
      }
    }

    private void damageFile(Path file) throws IOException {
      if (!Files.exists(file)) {
        return;
      }
      byte[] after = damaged(Files.readAllBytes(file), file.getFileName().toString());
      if (after.length == 0) {
        Files.delete(file);
      } else {
        boolean _ = file.toFile().setWritable(true);
        Files.write(file, after);
      }
    }

    /// Damages a database in place: a running hub has it open.
    private void damageDatabase(String tenant, String file) throws IOException {
      Path directory = HubTenant.directory(data, tenant);
      Path target = directory.resolve(random.nextInt(4) == 0 ? file + "-wal" : file);
      if (!Files.exists(target)) {
        target = directory.resolve(file);
      }
      if (file.equals("canonical.db")) {
        damagedTenants.add(tenant);
      }
      if (Files.exists(target)) {
        byte[] after = damaged(Files.readAllBytes(target), tenant + "/" + target.getFileName());
        if (after.length == 0) {
          Files.delete(target);
        } else {
          Files.write(target, after);
        }
      }
    }

    /// @return the damaged bytes; empty if the file is to be deleted
    private byte[] damaged(byte[] before, String what) {
      byte[] bytes = before.clone();
      if (bytes.length == 0) {
        return bytes;
      }
      switch (random.nextInt(6)) {
        case 0, 1 -> {
          int flips = 1 + random.nextInt(8);
          for (int i = 0; i < flips; i++) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
          }
          damages.add(flips + " bits flipped in " + what);
        }
        case 2 -> {
          int page = random.nextInt(bytes.length / PAGE_BYTES + 1) * PAGE_BYTES;
          Arrays.fill(
              bytes,
              Math.min(page, bytes.length),
              Math.min(bytes.length, page + PAGE_BYTES),
              (byte) 0);
          damages.add("a zeroed page in " + what);
        }
        case 3 -> {
          byte[] garbage = new byte[Math.min(100, bytes.length)];
          random.nextBytes(garbage);
          System.arraycopy(garbage, 0, bytes, 0, garbage.length);
          damages.add("a garbage header in " + what);
        }
        case 4 -> {
          bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
          damages.add(what + " truncated to " + bytes.length);
        }
        default -> {
          bytes = new byte[0];
          damages.add("no " + what);
        }
      }
      return bytes;
    }

    /// `verify log` must name each damaged record, and nothing in a sound log.
    private void verifyLog(CampaignHub hub) throws Exception {
      CampaignHub.Ran verified = hub.command("verify", "log");
      Set<Long> namedEvents = new HashSet<>();
      Set<Long> namedControl = new HashSet<>();
      Matcher ranges = RANGE.matcher(verified.output());
      while (ranges.find()) {
        for (long n = Long.parseLong(ranges.group(2)); n <= Long.parseLong(ranges.group(3)); n++) {
          (ranges.group(1).equals("control") ? namedControl : namedEvents).add(n);
        }
      }
      Set<Long> unnamed = new TreeSet<>(damagedOffsets);
      unnamed.removeAll(namedEvents);
      Set<Long> unnamedControl = new TreeSet<>(damagedControlOffsets);
      unnamedControl.removeAll(namedControl);
      unnamed.addAll(unnamedControl);
      boolean isDamaged = !damagedOffsets.isEmpty() || !damagedControlOffsets.isEmpty();
      if (isDamaged) {
        checkTold(hub);
      }
      if (!unnamed.isEmpty() || (isDamaged && verified.status() != 1)) {
        result.addViolation(
            name()
                + ": verify log does not name "
                + unnamed
                + ", exit "
                + verified.status()
                + ": "
                + verified.output());
      }
      if (!logIsDamaged && soundControl.isEmpty() && verified.status() != 0) {
        result.addViolation(name() + ": a sound log is not: " + verified.output());
      }
      result.add("damaged records", damagedOffsets.size());
    }

    /// Damage must be an event and count in the metric.
    private void checkTold(CampaignHub hub) throws IOException {
      String metrics;
      try (var body = URI.create(hub.url() + "/metrics").toURL().openStream()) {
        metrics = new String(body.readAllBytes(), StandardCharsets.UTF_8);
      }
      Matcher count = DAMAGED_SEGMENTS.matcher(metrics);
      if (!count.find() || Double.parseDouble(count.group(1)) < 1) {
        result.addViolation(name() + ": the metric names no damaged segment");
      }
      if (!hub.process().output().contains("\"event\":\"log_damaged\"")) {
        result.addViolation(name() + ": no event names the damage");
      }
    }

    private void check(CampaignHub hub, List<SourceSender> all) throws Exception {
      List<String> again = new ArrayList<>();
      for (String tenant : TENANTS) {
        SourceCheck found = check(tenant, all);
        if (damagedTenants.contains(tenant) && (found == null || !found.faults().isEmpty())) {
          again.add(tenant);
        } else if (found != null) {
          found.report(name(), lossAllowed, result);
          result.add("damaged records lost", found.missing().size());
        }
      }
      if (again.isEmpty()) {
        return;
      }
      result.add("databases with damage that nothing has used", again.size());
      for (String tenant : again) {
        Directories.delete(HubTenant.directory(data, tenant));
      }
      damages.add("rebuilt by an operator: " + again);
      hub.start();
      if (!hub.awaitAppliedAll(TIMEOUT)) {
        result.addViolation(
            name() + ": not everything is applied: " + hub.status() + hub.process().output());
      }
      hub.stop();
      for (String tenant : again) {
        SourceCheck found = check(tenant, all);
        if (found == null) {
          result.addViolation(name() + ": the rebuilt database of " + tenant + " is unreadable");
        } else {
          found.report(name(), lossAllowed, result);
        }
      }
    }

    /// @return null if the database cannot be read
    private @Nullable SourceCheck check(String tenant, List<SourceSender> all) {
      try {
        return SourceCheck.of(
            data, tenant, all.stream().filter(s -> s.tenant().equals(tenant)).toList());
      } catch (java.sql.SQLException unreadable) {
        return null;
      }
    }
  }
}
