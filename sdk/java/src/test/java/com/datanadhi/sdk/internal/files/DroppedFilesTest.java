package com.datanadhi.sdk.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.ManualTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DroppedFilesTest {
  @TempDir Path directory;
  private final ManualTime time = new ManualTime();

  private static List<OutgoingRecord> records(int count) {
    return IntStream.range(0, count)
        .mapToObj(n -> new OutgoingRecord(List.of("orders"), "{}", "k-" + n))
        .toList();
  }

  private static List<String> keys(List<OutgoingRecord> records) {
    return records.stream().map(OutgoingRecord::key).toList();
  }

  private List<Path> all() throws Exception {
    try (Stream<Path> found = Files.list(directory.resolve("dropped"))) {
      return found.filter(file -> file.toString().contains(".jsonl")).sorted().toList();
    }
  }

  @Test
  void a_pass_that_ends_early_leaves_only_what_was_not_delivered() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path file = files.write("exit", records(5));
    List<String> sent = new ArrayList<>();
    RedeliveryPass.Sender sender =
        records -> {
          sent.addAll(keys(records));
          return new RedeliveryPass.Outcome(records, List.of());
        };
    assertThat(files.pass(false).next(2, 1 << 20, sender))
        .hasValue(new RedeliveryPass.Result(2, 0, 0, false));
    // As after a kill: nothing of the first pass is used any more.
    RedeliveryPass second = files.pass(false);
    RedeliveryPass.Sender some =
        records -> {
          sent.addAll(keys(records));
          return new RedeliveryPass.Outcome(records.subList(1, 2), List.of());
        };
    assertThat(second.next(100, 1 << 20, some)).hasValue(new RedeliveryPass.Result(1, 2, 0, true));
    assertThat(sent).containsExactly("k-0", "k-1", "k-2", "k-3", "k-4");
    assertThat(all()).containsExactly(file);
    assertThat(Files.readAllLines(file)).hasSize(2).allMatch(line -> line.matches(".*k-[24].*"));
  }

  @Test
  void a_record_that_is_rejected_moves_to_another_file_and_keeps_its_key() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path unused = files.write("exit", records(2));
    RedeliveryPass.Sender rejecting = records -> new RedeliveryPass.Outcome(List.of(), records);
    assertThat(files.pass(false).next(100, 1 << 20, rejecting))
        .hasValue(new RedeliveryPass.Result(0, 2, 0, true));
    assertThat(all()).hasSize(1);
    assertThat(all().get(0).getFileName().toString()).startsWith("primary_failed_");
    assertThat(Files.readString(all().get(0))).contains("k-0", "k-1");
    assertThat(files.pass(false).next(100, 1 << 20, rejecting))
        .hasValue(new RedeliveryPass.Result(0, 0, 0, true));
  }

  @Test
  void nothing_is_written_into_the_space_that_others_need() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> Long.MAX_VALUE, time, time);
    assertThatThrownBy(() -> files.write("exit", records(1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("EchoPost needs");
    assertThat(all()).isEmpty();
  }

  private static List<OutgoingRecord> record(String key) {
    return List.of(new OutgoingRecord(List.of("orders"), "{}", key));
  }

  @Test
  void records_are_appended_to_a_file_for_ten_seconds() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    long start = time.millis();
    Path first = files.write("exit", record("k-1"));
    time.advance(Duration.ofMillis(9_999));
    assertThat(files.write("exit", record("k-2"))).isEqualTo(first);
    assertThat(files.write("too_large", record("k-3"))).isNotEqualTo(first);
    time.advance(Duration.ofMillis(1));
    Path second = files.write("exit", record("k-4"));
    assertThat(second).isNotEqualTo(first);
    assertThat(first.getFileName()).hasToString("exit_" + start + ".jsonl");
    assertThat(second.getFileName()).hasToString("exit_" + (start + 10_000) + ".jsonl");
    assertThat(Files.readAllLines(first)).hasSize(2);
    assertThat(Files.readAllLines(second)).hasSize(1);
  }
}
