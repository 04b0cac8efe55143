package com.datanadhi.hub.intake;

import static com.datanadhi.hub.intake.Stage.submission;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.apply.AppliedThroughFile;
import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.apply.ApplyLoop;
import com.datanadhi.hub.apply.MailboxFollower;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.TenantDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Intake with the real log, the real databases and applying beside it.
class RealPartsTest {
  private static final int SENDERS = 8;
  private static final int RUNS = 3;
  private static final List<String> TENANTS = List.of("acme", "other");

  @TempDir Path directory;

  @Test
  void what_senders_repeat_over_restarts_is_stored_once_with_the_same_receipt() throws Exception {
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    Map<String, Map<String, Receipt>> acknowledged = new HashMap<>();
    long appended = 0;
    for (int run = 0; run < RUNS; run++) {
      try (Parts parts = new Parts(directory)) {
        List<Future<Map<String, Receipt>>> senders = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
          for (int s = 0; s < SENDERS; s++) {
            Random random = new Random(seed + 1_000L * run + s);
            String tenant = TENANTS.get(s % TENANTS.size());
            senders.add(threads.submit(() -> send(parts.intake, tenant, random)));
          }
        }
        for (int s = 0; s < SENDERS; s++) {
          Map<String, Receipt> known =
              acknowledged.computeIfAbsent(TENANTS.get(s % TENANTS.size()), _ -> new HashMap<>());
          senders
              .get(s)
              .get()
              .forEach((key, receipt) -> {
                Receipt before = known.putIfAbsent(key, receipt);
                assertThat(before == null || before.equals(receipt)).isTrue();
              });
        }
        appended += parts.intake.counts().appended();
        assertThat(parts.intake.counts().difference()).isZero();
        if (run == RUNS - 1) {
          parts.applyAll();
          assertThat(parts.intake.unappliedRecords()).isZero();
        }
      }
    }
    long distinct = 0;
    try (TenantDatabases databases = new TenantDatabases(directory.resolve("tenants"), 16)) {
      for (String tenant : TENANTS) {
        Set<String> stored = new HashSet<>();
        databases.read(
            tenant,
            reader -> {
              reader.events(
                  new EventFilter(1, 1_000_000, null, null, null),
                  event -> {
                    assertThat(stored.add(event.key())).isTrue();
                    return true;
                  });
              assertThat(reader.state().duplicates()).isZero();
              assertThat(reader.state().conflicts()).isZero();
              return true;
            });
        assertThat(stored).isEqualTo(acknowledged.getOrDefault(tenant, Map.of()).keySet());
        distinct += stored.size();
      }
    }
    assertThat(appended).isEqualTo(distinct);
  }

  private static Map<String, Receipt> send(Intake intake, String tenant, Random random)
      throws InterruptedException {
    Map<String, Receipt> receipts = new HashMap<>();
    for (int i = 0; i < 60; i++) {
      List<Submission> batch = new ArrayList<>();
      for (int k = 1 + random.nextInt(10); k > 0; k--) {
        String key =
            random.nextBoolean()
                ? "k-" + random.nextInt(600)
                : "%032x-%d".formatted(random.nextInt(4), 1 + random.nextInt(200));
        batch.add(submission(key, "\"" + key + "\""));
      }
      List<Outcome> outcomes =
          random.nextInt(4) == 0
              ? intake.submitTogether(tenant, batch)
              : intake.submitEach(tenant, batch);
      for (Outcome outcome : outcomes) {
        Receipt receipt = ((Outcome.Stored) outcome).receipt();
        Receipt before = receipts.put(receipt.key(), receipt);
        assertThat(before == null || before.equals(receipt)).isTrue();
      }
    }
    return receipts;
  }

  /// One process on the directory.
  private static final class Parts implements AutoCloseable {
    final SegmentLog log;
    final TenantDatabases databases;
    final Intake intake;
    final ApplyLoop loop;
    private final Thread applying;

    Parts(Path directory) throws Exception {
      Clock clock = Clock.system();
      log = SegmentLog.open(directory.resolve("log"), SegmentSettings.defaults(), clock);
      databases = new TenantDatabases(directory.resolve("tenants"), 16);
      intake = new Intake(log, databases, IntakeSettings.defaults(), clock, (_, _, _) -> {});
      loop =
          new ApplyLoop(
              log,
              Intake.STREAM,
              databases,
              new NoDecisions(),
              intake,
              new MailboxFollower(databases, _ -> {}),
              new AppliedThroughFile(directory.resolve("applied-through")),
              directory.resolve("quarantine"),
              clock);
      new TailLoader(log, intake).load(loop.start());
      applying =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  loop.run();
                } catch (InterruptedException _) {
                  Thread.currentThread().interrupt();
                }
              });
    }

    void applyAll() throws Exception {
      long end = log.end(Intake.STREAM);
      log.awaitStable(Intake.STREAM, end - 1, Duration.ofSeconds(30));
      await().atMost(Duration.ofSeconds(60)).until(() -> intake.unappliedRecords() == 0);
    }

    @Override
    public void close() throws Exception {
      loop.stop();
      applying.join();
      databases.close();
      log.close();
    }
  }

  private static final class NoDecisions implements ApplyDecisions {
    @Override
    public @Nullable String skipReason(String stream, long offset) {
      return null;
    }

    @Override
    public List<Loss> losses(String stream) {
      return List.of();
    }
  }
}
