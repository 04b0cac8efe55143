package com.datanadhi.hub.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.io.TempDir;

class ApplyFunctionTest {
  private static final String STREAM = "events-0";

  @TempDir Path directory;

  private static List<String> derivedRowFaults(TenantReader reader) {
    DerivedRows rows = new DerivedRows(reader);
    reader.events(
        new EventFilter(reader.state().firstSeq(), Integer.MAX_VALUE, null, null, null),
        event -> {
          rows.add(event);
          return true;
        });
    return rows.faults();
  }

  @RepeatedTest(12)
  void any_batches_with_reopening_rereading_and_pruning_give_what_the_model_says(
      RepetitionInfo repetition) throws Exception {
    long seed = 7_000L + repetition.getCurrentRepetition();
    Random random = new Random(seed);
    MemoryLog log = new MemoryLog(new UUID(seed, 1));
    RandomRecords records = new RandomRecords(random, List.of("acme"));
    Decided decided = new Decided();
    for (int i = 0; i < 400; i++) {
      records.appendTo(log);
      if (random.nextInt(40) == 0) {
        decided.skips.put((long) i, "the test skips it");
      }
    }
    List<LogEntry> all = log.read(STREAM, 0, 1_000, Long.MAX_VALUE);
    Model model = new Model("acme", decided);
    for (LogEntry entry : all) {
      model.apply(entry);
    }
    ApplyFunction function = new ApplyFunction(STREAM, decided);
    Path single = directory.resolve("single");
    try (TenantDatabases databases = new TenantDatabases(single, 8)) {
      for (LogEntry entry : all) {
        databases.write("acme", writer -> function.apply(writer, List.of(entry)));
      }
    }

    Path batched = directory.resolve("batched");
    TenantDatabases databases = new TenantDatabases(batched, 8);
    try {
      int from = 0;
      while (from < all.size()) {
        int to = Math.min(all.size(), from + 1 + random.nextInt(90));
        int again = Math.max(0, from - random.nextInt(20));
        List<LogEntry> batch = new ArrayList<>(all.subList(again, to));
        databases.write("acme", writer -> function.apply(writer, batch));
        from = to;
        if (random.nextInt(4) == 0) {
          databases.write("acme", writer -> writer.deleteForgottenKeys(1 + random.nextInt(50)));
        }
        if (random.nextInt(4) == 0) {
          databases.close();
          databases = new TenantDatabases(batched, 8);
        }
      }
      ViewState state = databases.read("acme", reader -> reader.state());

      assertThat(state.chain()).as("seed " + seed).isEqualTo(model.chain.hex());
      assertThat(state.seq()).isEqualTo(model.seq);
      assertThat(List.of(state.stored(), state.duplicates(), state.conflicts(), state.skipped()))
          .as("seed " + seed)
          .containsExactly(
              model.stored, model.duplicates, model.conflicting, (long) model.quarantine.size());
      assertThat(state.lastReceivedAt()).isEqualTo(model.last);
      assertThat(state.keysForgottenBefore()).isEqualTo(model.forgotten);
      assertThat(databases.read("acme", ApplyFunctionTest::derivedRowFaults))
          .as("seed " + seed)
          .isEmpty();
    } finally {
      databases.close();
    }
    Path database = Dump.canonical(batched, "acme");
    assertThat(
            Dump.rows(
                database,
                "SELECT seq||' '||key||' '||part||' '||received_at FROM events ORDER BY seq"))
        .as("seed " + seed)
        .isEqualTo(model.events);
    assertThat(
            Dump.rows(
                database, "SELECT source||' '||first||'-'||last FROM sources ORDER BY 1, first"))
        .as("seed " + seed)
        .containsExactlyInAnyOrderElementsOf(model.intervals());
    assertThat(Dump.rows(database, "SELECT key||' '||sha256||' '||pipelines_sha256 FROM conflicts"))
        .as("seed " + seed)
        .containsExactlyInAnyOrderElementsOf(model.conflicts);
    assertThat(Dump.rows(database, "SELECT record_offset FROM quarantine ORDER BY 1"))
        .isEqualTo(model.quarantine.stream().map(String::valueOf).toList());
    assertThat(Dump.all(database))
        .as("seed " + seed)
        .isEqualTo(Dump.all(Dump.canonical(single, "acme")));
    // Each case was met.
    assertThat(model.stored).isPositive();
    assertThat(model.duplicates).isPositive();
    assertThat(model.conflicting).isPositive();

    try (TenantDatabases pruned = new TenantDatabases(batched, 8)) {
      String begin = "SELECT seq FROM events WHERE part = 1 AND seq > " + model.seq / 2;
      long left = Long.parseLong(Dump.rows(database, begin + " LIMIT 1").getFirst());
      pruned.write(
          "acme",
          writer -> {
            writer.deleteEventsBefore(left, writer.state().chain(), Map.of());
            return left;
          });
      assertThat(pruned.read("acme", ApplyFunctionTest::derivedRowFaults))
          .as("seed " + seed)
          .isEmpty();
    }
  }
}
