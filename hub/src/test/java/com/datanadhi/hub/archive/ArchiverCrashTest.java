package com.datanadhi.hub.archive;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.archive.FaultyStore.Fault;
import com.datanadhi.hub.archive.FaultyStore.KilledException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whatever happens at whichever call of the store, the archive ends with every row once.
class ArchiverCrashTest {
  private static final List<String> TENANTS = List.of("a", "b");

  /// 2023-11-15T00:00:00Z.
  private static final long MIDNIGHT = 1_700_006_400_000L;

  @TempDir private Path home;

  private static List<String> payloads(int count) {
    List<String> payloads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      payloads.add(i % 3 == 0 ? "{\n\"i\":" + i + "}" : "-0.0");
    }
    return payloads;
  }

  private static void isWhole(ArchivedHub hub, String what) throws Exception {
    for (String tenant : TENANTS) {
      if (hub.databases.exists(tenant)) {
        ArchiveVerifier.Report report = hub.verify(tenant);
        assertThat(report.faults()).as(what).isEmpty();
        assertThat(report.unfinished()).as(what).isEmpty();
        assertThat(report.chain()).as(what).isEqualTo(hub.state(tenant).chain());
        assertThat(hub.archived(tenant)).as(what).isEqualTo(hub.rows(tenant));
      }
    }
  }

  /// Archives with a faulty store for a while; then the process ends or is killed.
  private static void run(ArchivedHub hub, FaultyStore store) throws InterruptedException {
    Archiver archiver = hub.archiver(store);
    try {
      for (int i = 0; i < 6; i++) {
        hub.archive(archiver);
        hub.clock.advance(Duration.ofSeconds(2));
      }
    } catch (KilledException _) {
      return; // the next run goes on
    }
    assertThat(archiver.stats().alarms()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(value = Fault.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void a_fault_at_each_call_leaves_no_hole(Fault fault) throws Exception {
    int at = 0;
    for (boolean isReached = true; isReached; at++) {
      int number = at;
      try (ArchivedHub hub = new ArchivedHub(home.resolve(fault + "-" + at))) {
        hub.at(MIDNIGHT - 1);
        hub.store("a", "k-1", payloads(3));
        hub.store("b", "k-1", "1");
        hub.archive();
        hub.store("a", "k-2", payloads(2));
        hub.at(MIDNIGHT);
        hub.store("a", "k-3", payloads(2));
        FaultyStore store = new FaultyStore(hub.store, call -> call == number ? fault : Fault.NONE);
        run(hub, store);
        isReached = store.calls() > at;
        // What comes in between makes the next cut another one.
        hub.store("a", "k-4", payloads(1));
        hub.store("b", "k-2", "2");
        hub.archive();
        isWhole(hub, fault + " at call " + at);
      }
    }
    assertThat(at).isGreaterThan(10);
  }

  @Test
  void random_faults_and_two_writers_leave_no_hole() throws Exception {
    for (int round = 0; round < 12; round++) {
      long seed = new Random().nextLong();
      Random random = new Random(seed);
      Fault[] faults = Fault.values();
      try (ArchivedHub hub = new ArchivedHub(home.resolve("r" + round))) {
        long now = MIDNIGHT - 3_000;
        Archiver other = hub.archiver();
        for (int step = 0; step < 12; step++) {
          now += random.nextInt(1_000);
          hub.at(now);
          String tenant = TENANTS.get(random.nextInt(2));
          hub.store(tenant, "k-" + step, payloads(1 + random.nextInt(20)));
          if (random.nextInt(3) == 0) {
            hub.archive(other);
          }
          run(
              hub,
              new FaultyStore(
                  hub.store,
                  _ ->
                      random.nextInt(4) == 0 ? faults[random.nextInt(faults.length)] : Fault.NONE));
        }
        hub.archive();
        isWhole(hub, "seed " + seed);
        hub.archive(other);
        assertThat(other.stats().alarms()).as("seed %s", seed).isEmpty();
        isWhole(hub, "seed " + seed);
      }
    }
  }
}
