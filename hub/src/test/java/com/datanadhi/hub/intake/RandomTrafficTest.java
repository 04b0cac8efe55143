package com.datanadhi.hub.intake;

import static com.datanadhi.hub.intake.Stage.TENANT;
import static com.datanadhi.hub.intake.Stage.submission;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.log.Append;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/// Seeded random traffic against a plain map.
class RandomTrafficTest {
  private final Stage stage = new Stage();

  /// More sources than intake keeps, so that some are evicted and loaded again.
  private static final int SOURCES = 6_000;

  @Test
  void no_record_is_stored_twice_or_lost_or_taken_for_another() throws Exception {
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    Random random = new Random(seed);
    Map<String, Receipt> stored = new LinkedHashMap<>();
    Map<String, String> payloads = new HashMap<>();
    Set<String> conflicts = new HashSet<>();
    for (int step = 0; step < 40_000; step++) {
      int dice = random.nextInt(1000);
      if (dice < 60) {
        long end = stage.log.end(Intake.STREAM);
        stage.view.apply(stage.log, Math.max(0, end - random.nextInt(200)), stage.intake);
      } else if (dice == 60) {
        stage.restart();
      } else if (dice < 70) {
        // The sender gets 503, and nothing is in the log.
        stage.log.refuse(new Append.Refused(Append.Cause.FULL, "full"));
        String key = key(random);
        Outcome outcome = stage.send(key, "1");
        stage.log.recover();
        if (!stored.containsKey(key)) {
          assertThat(outcome).isInstanceOf(Outcome.Unavailable.class);
        }
      } else {
        List<Submission> batch = new ArrayList<>();
        for (int i = dice < 300 ? 1 + random.nextInt(8) : 1; i > 0; i--) {
          batch.add(submission(key(random), random.nextInt(20) == 0 ? "2" : "1"));
        }
        boolean together = dice >= 970;
        List<Outcome> outcomes =
            together
                ? stage.intake.submitTogether(TENANT, batch)
                : stage.intake.submitEach(TENANT, batch);
        boolean nothing =
            together
                && outcomes.stream()
                    .anyMatch(outcome ->
                        outcome instanceof Outcome.Conflict || outcome instanceof Outcome.Invalid);
        for (int i = 0; i < batch.size(); i++) {
          String key = batch.get(i).key();
          String payload = new String(batch.get(i).records().getFirst().logData(), UTF_8);
          boolean known = stored.containsKey(key);
          switch (outcomes.get(i)) {
            case Outcome.Stored outcome -> {
              assertThat(outcome.replayed()).isEqualTo(known);
              if (known) {
                assertThat(payload).isEqualTo(payloads.get(key));
                assertThat(outcome.receipt()).isEqualTo(stored.get(key));
              } else {
                assertThat(nothing).isFalse();
                stored.put(key, outcome.receipt());
                payloads.put(key, payload);
              }
            }
            case Outcome.Conflict _ -> {
              assertThat(known).isTrue();
              assertThat(payload).isNotEqualTo(payloads.get(key));
              conflicts.add(key);
            }
            case Outcome.Invalid _, Outcome.Unavailable _ -> assertThat(nothing).isTrue();
          }
        }
      }
    }
    stage.applyAll();
    assertThat(stage.view.stored(TENANT)).containsExactlyElementsOf(stored.keySet());
    assertThat(stage.view.duplicates(TENANT)).isZero();
    assertThat(stage.view.conflicts(TENANT))
        .doesNotHaveDuplicates()
        .containsExactlyInAnyOrderElementsOf(conflicts);
    assertThat(stage.intake.unappliedRecords()).isZero();
    assertThat(stage.intake.counts().difference()).isZero();
  }

  @Test
  void what_many_senders_send_at_once_is_in_the_log_once() throws Exception {
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    List<Future<Set<String>>> senders = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int s = 0; s < 32; s++) {
        Random random = new Random(seed + s);
        senders.add(
            threads.submit(() -> {
              Set<String> acknowledged = new HashSet<>();
              for (int i = 0; i < 300; i++) {
                List<Submission> batch = new ArrayList<>();
                for (int k = 1 + random.nextInt(5); k > 0; k--) {
                  batch.add(
                      submission(
                          random.nextBoolean()
                              ? "k-" + random.nextInt(2000)
                              : "%032x-%d".formatted(random.nextInt(20), 1 + random.nextInt(100)),
                          "1"));
                }
                for (Outcome outcome : stage.intake.submitEach(TENANT, batch)) {
                  acknowledged.add(((Outcome.Stored) outcome).receipt().key());
                }
              }
              return acknowledged;
            }));
      }
      while (senders.stream().anyMatch(sender -> !sender.isDone())) {
        stage.applyAll();
        Thread.onSpinWait();
      }
    }
    Set<String> acknowledged = new HashSet<>();
    for (Future<Set<String>> sender : senders) {
      acknowledged.addAll(sender.get());
    }
    stage.applyAll();
    assertThat(stage.view.stored(TENANT))
        .doesNotHaveDuplicates()
        .containsExactlyInAnyOrderElementsOf(acknowledged);
    assertThat(stage.view.duplicates(TENANT)).isZero();
    assertThat(stage.intake.counts().appended()).isEqualTo(acknowledged.size());
    assertThat(stage.intake.unappliedRecords()).isZero();
  }

  private static String key(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> "k-" + random.nextInt(20_000);
      case 1 -> "%032x-%d".formatted(random.nextInt(SOURCES), 1 + random.nextInt(6));
      default -> "%032x-%d".formatted(SOURCES + random.nextInt(3), 1 + random.nextInt(5_000));
    };
  }
}
