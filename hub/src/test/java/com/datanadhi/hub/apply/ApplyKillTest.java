package com.datanadhi.hub.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.TenantDatabases;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApplyKillTest {
  private static final int RECORDS = 15_000;
  private static final List<String> TENANTS = List.of("acme", "beta", "gamma");

  @TempDir Path directory;

  @Test
  void a_process_that_is_killed_while_it_applies_leaves_nothing_out_and_nothing_twice()
      throws Exception {
    long seed = 31;
    Random random = new Random(seed);
    RandomRecords records = new RandomRecords(random, TENANTS);
    try (SegmentLog log =
        SegmentLog.open(directory.resolve("log"), ApplyChild.SETTINGS, Clock.system())) {
      for (int i = 0; i < RECORDS; i += 1_000) {
        List<NewEntry> entries = new ArrayList<>();
        for (int j = 0; j < 1_000; j++) {
          entries.add(records.next());
        }
        assertThat(((Append.Accepted) log.append(Hub.STREAM, entries, Durability.FSYNC)).await())
            .isInstanceOf(Append.Stored.class);
      }
    }

    int killed = 0;
    while (killed < 4) {
      Process child = child();
      if (child.waitFor(450 + random.nextInt(700), TimeUnit.MILLISECONDS)) {
        break;
      }
      child.destroyForcibly();
      child.waitFor();
      killed++;
    }
    Process last = child();
    assertThat(last.waitFor(60, TimeUnit.SECONDS)).as("seed " + seed).isTrue();
    assertThat(last.exitValue()).isZero();
    assertThat(killed).as("the first child must not end by itself").isPositive();

    List<LogEntry> all = new ArrayList<>();
    try (SegmentLog log =
        SegmentLog.open(directory.resolve("log"), ApplyChild.SETTINGS, Clock.system())) {
      while (all.size() < RECORDS) {
        all.addAll(log.read(Hub.STREAM, all.size(), 10_000, 1L << 30));
      }
    }
    ApplyFunction function = new ApplyFunction(Hub.STREAM, new Decided());
    Path reference = directory.resolve("reference");
    Path tenants = directory.resolve("tenants");
    try (TenantDatabases databases = new TenantDatabases(reference, 8);
        TenantDatabases killedOnes = new TenantDatabases(tenants, 8)) {
      for (String tenant : TENANTS) {
        List<LogEntry> own =
            all.stream().filter(e -> tenant.equals(Incoming.of(e).tenant())).toList();
        databases.write(tenant, writer -> function.apply(writer, own));
        assertThat(Dump.all(Dump.canonical(tenants, tenant)))
            .as("seed " + seed)
            .isEqualTo(Dump.all(Dump.canonical(reference, tenant)));
        assertThat(killedOnes.<Long>readMailbox(tenant, MailboxReader::appliedSeq))
            .isEqualTo(killedOnes.<Long>read(tenant, r -> r.state().seq()));
      }
    }
  }

  private Process child() throws Exception {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-preview",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            ApplyChild.class.getName(),
            directory.toString())
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("child.txt").toFile())
        .start();
  }
}
