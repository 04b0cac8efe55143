package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.testkit.StubServer;
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

/// Damage to the buffer's files while no agent runs.
///
/// A round is one directory. Clients fill a buffer, which is partly delivered; the agent is killed;
/// the files are damaged; a new agent starts and must accept records at once. When the server is
/// up, the agent must deliver every record whose bytes were not damaged, and exit. To find the
/// damaged records, the campaign searches the files for the labels in the payloads.
final class DamageCampaign implements Campaign {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final int PAGE_BYTES = 4096;

  /// A frame of the WAL is a header and a page (SQLite's file format).
  private static final int FRAME_BYTES = 24 + PAGE_BYTES;

  private static final int WAL_HEADER_BYTES = 32;

  /// An upper bound for the bytes of a record's cell before its label, and after its payload.
  private static final int CELL_MARGIN_BYTES = 80;

  private static final Pattern LABEL = Pattern.compile("\"client\":(\\d+),\"seq\":(\\d+),");

  @Override
  public String name() {
    return "damage";
  }

  @Override
  public String description() {
    return "flipped bits, zeroed pages, truncated files, garbage headers, a missing or foreign WAL,"
        + " another program's database";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      round(run);
    }
  }

  private static void round(CampaignRun run) throws Exception {
    Random random = run.random();
    Path directory = run.roundDirectory();
    DeliveryChecker checker = new DeliveryChecker(directory.getFileName().toString(), run.result());
    int size = 60 + random.nextInt(2_000);
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      AgentProcess agent = AgentProcess.spawn(directory, server.url());
      try (BackgroundClients clients =
          new BackgroundClients(
              agent.socket(),
              1 + random.nextInt(3),
              1 + random.nextInt(64),
              size,
              100_000,
              checker,
              run.result())) {
        agent.awaitReady();
        if (random.nextBoolean()) {
          server.comeUp();
          pause(random.nextInt(500));
          server.goDown();
          checker.allowRepeat();
        }
        pause(200 + random.nextInt(600));
        agent.close();
        checker.agentKilled();
        String damage = damage(directory, size, checker, random);
        agent = AgentProcess.spawn(directory, server.url());
        agent.awaitReady();
        pause(random.nextInt(300));
        server.comeUp();
        pause(random.nextInt(500));
        if (clients.refusedCalls() > 0) {
          run.result()
              .addViolation(directory.getFileName() + ": calls were refused after " + damage);
        }
        clients.close();
        end(agent, directory, damage, checker, run.result());
      }
      run.deleteUnlessFailed(directory);
    }
  }

  private static void end(
      AgentProcess agent,
      Path directory,
      String damage,
      DeliveryChecker checker,
      CampaignResult result)
      throws Exception {
    String round = directory.getFileName() + ", " + damage + ": ";
    try (agent) {
      int exit = agent.awaitExit(TIMEOUT);
      boolean quarantined = agent.hasLogged(EventNames.BUFFER_DAMAGED);
      result.add(quarantined ? "buffers quarantined" : "buffers not quarantined", 1);
      result.add("damaged records lost", checker.undelivered());
      if (quarantined != hasQuarantinedFile(directory)) {
        result.addViolation(
            round + "the buffer_damaged event and the quarantined files do not match");
      }
      if (quarantined && exit != 1) {
        result.addViolation(round + "exit " + exit + " after damage");
      }
      boolean rejected = agent.hasLogged(EventNames.RECORD_REJECTED);
      if (!quarantined && rejected && exit != 5 && !agent.hasLogged(EventNames.LEDGER_BROKEN)) {
        result.addViolation(round + "exit " + exit + " after a rejection");
      }
      if (exit == 0 && checker.undelivered() > 0) {
        result.addViolation(
            round + checker.undelivered() + " records lost, but the exit status is 0");
      }
      if (exit != 0 && exit != 1 && exit != 5) {
        result.addViolation(round + "exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation(round + notEnded.getMessage());
    }
    checker.checkNothingLost();
  }

  private static boolean hasQuarantinedFile(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.anyMatch(file -> file.toString().contains(".damaged-"));
    }
  }

  /// Damages a file of the buffer, and allows `checker` the loss of each record whose bytes
  /// changed.
  ///
  /// @return a description of the damage
  private static String damage(Path directory, int size, DeliveryChecker checker, Random random)
      throws Exception {
    Path database = directory.resolve("buffer.db");
    Path wal = directory.resolve("buffer.db-wal");
    byte[] databaseBefore = Files.readAllBytes(database);
    byte[] walBefore = Files.exists(wal) ? Files.readAllBytes(wal) : new byte[0];
    boolean damagesWal = walBefore.length > 0 && random.nextInt(3) == 0;
    Path target = damagesWal ? wal : database;
    byte[] bytes = damagesWal ? walBefore.clone() : databaseBefore.clone();
    String damage =
        switch (random.nextInt(8)) {
          case 0, 1 -> {
            int flips = 1 + random.nextInt(20);
            for (int i = 0; i < flips; i++) {
              bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            yield flips + " bits flipped in " + target.getFileName();
          }
          case 2 -> {
            int page = random.nextInt(bytes.length / PAGE_BYTES + 1) * PAGE_BYTES;
            Arrays.fill(
                bytes,
                Math.min(page, bytes.length),
                Math.min(bytes.length, page + PAGE_BYTES),
                (byte) 0);
            yield "a zeroed page in " + target.getFileName();
          }
          case 3 -> {
            byte[] garbage = new byte[Math.min(100, bytes.length)];
            random.nextBytes(garbage);
            System.arraycopy(garbage, 0, bytes, 0, garbage.length);
            yield "a garbage header in " + target.getFileName();
          }
          case 4 -> {
            bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            yield target.getFileName() + " truncated";
          }
          case 5 -> {
            target = wal;
            bytes = new byte[0];
            yield "no WAL";
          }
          case 6 -> {
            target = wal;
            bytes = foreignFile(directory.resolveSibling("foreign-" + random.nextInt()), "-wal");
            yield "a foreign WAL";
          }
          default -> {
            target = database;
            bytes = foreignFile(directory.resolveSibling("foreign-" + random.nextInt()), "");
            yield "another program's database";
          }
        };
    Files.write(target, bytes);
    byte[] databaseAfter = target.equals(database) ? bytes : databaseBefore;
    byte[] walAfter = target.equals(wal) ? bytes : walBefore;
    Map<Payloads.Label, Boolean> intactInDatabase =
        intactRecords(databaseBefore, databaseAfter, size, false);
    Map<Payloads.Label, Boolean> intactInWal = intactRecords(walBefore, walAfter, size, true);
    intactInDatabase.forEach((label, intact) -> {
      if (!intact) {
        checker.allowLoss(label.client(), (int) label.seq());
      }
    });
    intactInWal.forEach((label, intact) -> {
      if (!intact && !intactInDatabase.getOrDefault(label, false)) {
        checker.allowLoss(label.client(), (int) label.seq());
      }
    });
    return damage;
  }

  /// The bytes of a file that another program's open database has on the disk.
  ///
  /// @param suffix `-wal`, or empty for the database file
  private static byte[] foreignFile(Path parent, String suffix) throws Exception {
    Files.createDirectories(parent);
    Path file = parent.resolve("theirs.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      boolean _ = statement.execute("PRAGMA journal_mode=WAL");
      int _ = statement.executeUpdate("CREATE TABLE theirs (a)");
      int _ = statement.executeUpdate("INSERT INTO theirs VALUES (randomblob(20000))");
      if (suffix.isEmpty()) {
        boolean _ = statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
      }
      return Files.readAllBytes(parent.resolve("theirs.db" + suffix));
    }
  }

  /// For each record in `before`, whether the bytes of all its copies are the same in `after`.
  private static Map<Payloads.Label, Boolean> intactRecords(
      byte[] before, byte[] after, int size, boolean isWal) {
    BitSet changed = new BitSet();
    for (int i = 0; i < before.length; i++) {
      if (i >= after.length || before[i] != after[i]) {
        changed.set(i);
      }
    }
    Map<Payloads.Label, Boolean> intact = new HashMap<>();
    int headerBytes = isWal ? WAL_HEADER_BYTES : 0;
    int imageBytes = isWal ? FRAME_BYTES : PAGE_BYTES;
    Matcher labels = LABEL.matcher(new String(before, StandardCharsets.ISO_8859_1));
    while (labels.find()) {
      int imageStart = headerBytes + (labels.start() - headerBytes) / imageBytes * imageBytes;
      int from = Math.max(imageStart, labels.start() - CELL_MARGIN_BYTES);
      int to = Math.min(imageStart + imageBytes, labels.start() + size + CELL_MARGIN_BYTES);
      int firstChanged = changed.nextSetBit(from);
      intact.merge(
          new Payloads.Label(Integer.parseInt(labels.group(1)), Long.parseLong(labels.group(2))),
          firstChanged < 0 || firstChanged >= to,
          Boolean::logicalAnd);
    }
    return intact;
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }
}
