package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Damage to the buffer's files while nobody runs.
///
/// A round is one directory: clients fill a buffer, part of which is delivered; kill -9; the files
/// are damaged; an agent starts and takes records at once; the server comes up, and the agent must
/// end by itself with all delivered but what was hit: where each record's bytes are is seen by
/// looking for them.
final class Damage implements Campaign {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PAGE = 4096;
  private static final int FRAME = 24 + PAGE;
  private static final int WAL_HEADER = 32;

  /// What a cell has before its payload, and behind.
  private static final int AROUND = 80;

  private static final Pattern LABEL = Pattern.compile("\"client\":(\\d+),\"seq\":(\\d+),");

  @Override
  public String name() {
    return "damage";
  }

  @Override
  public String attack() {
    return "bit flips, zeroed pages, cut files, garbage headers, a lost or foreign log, another"
               + " program's database";
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      round(attack);
    }
  }

  private static void round(Attack attack) throws Exception {
    Random random = attack.random();
    Path directory = attack.directory();
    Witness witness = new Witness(directory.getFileName().toString(), attack.tally());
    int size = 60 + random.nextInt(2_000);
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      AgentProcess agent = AgentProcess.spawn(directory, server.url());
      try (Clients clients =
          new Clients(
              agent.socket(),
              1 + random.nextInt(3),
              1 + random.nextInt(64),
              size,
              100_000,
              witness,
              attack.tally())) {
        agent.awaitReady();
        if (random.nextBoolean()) {
          server.comeUp();
          live(random.nextInt(500));
          server.goDown();
          witness.mayRepeat();
        }
        live(200 + random.nextInt(600));
        agent.close();
        witness.crashed();
        String how = damage(directory, size, witness, random);
        agent = AgentProcess.spawn(directory, server.url());
        agent.awaitReady();
        live(random.nextInt(300));
        server.comeUp();
        live(random.nextInt(500));
        if (clients.refused() > 0) {
          attack.tally().broken(directory.getFileName() + ": calls were refused after " + how);
        }
        clients.close();
        end(agent, directory, how, witness, attack.tally());
      }
      attack.forget(directory);
    }
  }

  private static void end(
      AgentProcess agent, Path directory, String how, Witness witness, Tally tally)
      throws Exception {
    String round = directory.getFileName() + ", " + how + ": ";
    try (agent) {
      int exit = agent.awaitExit(PATIENCE);
      boolean aside = agent.hasLogged(EventNames.BUFFER_DAMAGED);
      tally.add(aside ? "set aside" : "not set aside", 1);
      tally.add("hit and gone", witness.missing());
      if (aside != hasDamaged(directory)) {
        tally.broken(round + "set aside without an event, or the other way round");
      }
      if (aside && exit != 1) {
        tally.broken(round + "exit " + exit + " after damage");
      }
      boolean rejected = agent.hasLogged(EventNames.RECORD_REJECTED);
      if (!aside && rejected && exit != 5 && !agent.hasLogged(EventNames.LEDGER_BROKEN)) {
        tally.broken(round + "exit " + exit + " after a rejection");
      }
      if (exit == 0 && witness.missing() > 0) {
        tally.broken(round + witness.missing() + " gone, and nobody was told");
      }
      if (exit != 0 && exit != 1 && exit != 5) {
        tally.broken(round + "exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken(round + stays.getMessage());
    }
    witness.close();
  }

  private static boolean hasDamaged(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.anyMatch(file -> file.toString().contains(".damaged-"));
    }
  }

  /// Damages the files, and tells `witness` of whom nothing may be left.
  private static String damage(Path directory, int size, Witness witness, Random random)
      throws Exception {
    Path file = directory.resolve("buffer.db");
    Path log = directory.resolve("buffer.db-wal");
    byte[] fileBefore = Files.readAllBytes(file);
    byte[] logBefore = Files.exists(log) ? Files.readAllBytes(log) : new byte[0];
    boolean hitsLog = logBefore.length > 0 && random.nextInt(3) == 0;
    Path target = hitsLog ? log : file;
    byte[] bytes = hitsLog ? logBefore.clone() : fileBefore.clone();
    String how =
        switch (random.nextInt(8)) {
          case 0, 1 -> {
            int flips = 1 + random.nextInt(20);
            for (int i = 0; i < flips; i++) {
              bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            yield flips + " bits flipped in " + target.getFileName();
          }
          case 2 -> {
            int page = random.nextInt(bytes.length / PAGE + 1) * PAGE;
            Arrays.fill(
                bytes, Math.min(page, bytes.length), Math.min(bytes.length, page + PAGE), (byte) 0);
            yield "a page of zeros in " + target.getFileName();
          }
          case 3 -> {
            byte[] garbage = new byte[Math.min(100, bytes.length)];
            random.nextBytes(garbage);
            System.arraycopy(garbage, 0, bytes, 0, garbage.length);
            yield "a garbage header in " + target.getFileName();
          }
          case 4 -> {
            bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            yield target.getFileName() + " cut";
          }
          case 5 -> {
            target = log;
            bytes = new byte[0];
            yield "no log";
          }
          case 6 -> {
            target = log;
            bytes = foreign(directory.resolveSibling("foreign-" + random.nextInt()), "-wal");
            yield "a foreign log";
          }
          default -> {
            target = file;
            bytes = foreign(directory.resolveSibling("foreign-" + random.nextInt()), "");
            yield "another program's database";
          }
        };
    Files.write(target, bytes);
    byte[] fileAfter = target.equals(file) ? bytes : fileBefore;
    byte[] logAfter = target.equals(log) ? bytes : logBefore;
    Map<Payloads.Label, Boolean> inFile = whole(fileBefore, fileAfter, size, false);
    Map<Payloads.Label, Boolean> inLog = whole(logBefore, logAfter, size, true);
    inFile.forEach((label, whole) -> {
      if (!whole) {
        witness.mayBeGone(label.client(), (int) label.seq());
      }
    });
    inLog.forEach((label, whole) -> {
      if (!whole && !inFile.getOrDefault(label, false)) {
        witness.mayBeGone(label.client(), (int) label.seq());
      }
    });
    return how;
  }

  /// What another program leaves: a database of its own, not closed.
  private static byte[] foreign(Path place, String suffix) throws Exception {
    Files.createDirectories(place);
    Path file = place.resolve("theirs.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      boolean _ = statement.execute("PRAGMA journal_mode=WAL");
      int _ = statement.executeUpdate("CREATE TABLE theirs (a)");
      int _ = statement.executeUpdate("INSERT INTO theirs VALUES (randomblob(20000))");
      if (suffix.isEmpty()) {
        boolean _ = statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
      }
      return Files.readAllBytes(place.resolve("theirs.db" + suffix));
    }
  }

  /// Of each record that is in `before`, whether all its places are the same in `after`.
  private static Map<Payloads.Label, Boolean> whole(
      byte[] before, byte[] after, int size, boolean isLog) {
    BitSet hit = new BitSet();
    for (int i = 0; i < before.length; i++) {
      if (i >= after.length || before[i] != after[i]) {
        hit.set(i);
      }
    }
    Map<Payloads.Label, Boolean> whole = new HashMap<>();
    int header = isLog ? WAL_HEADER : 0;
    int step = isLog ? FRAME : PAGE;
    Matcher labels = LABEL.matcher(new String(before, StandardCharsets.ISO_8859_1));
    while (labels.find()) {
      int image = header + (labels.start() - header) / step * step;
      int from = Math.max(image, labels.start() - AROUND);
      int to = Math.min(image + step, labels.start() + size + AROUND);
      int firstHit = hit.nextSetBit(from);
      whole.merge(
          new Payloads.Label(Integer.parseInt(labels.group(1)), Long.parseLong(labels.group(2))),
          firstHit < 0 || firstHit >= to,
          Boolean::logicalAnd);
    }
    return whole;
  }

  private static void live(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }
}
