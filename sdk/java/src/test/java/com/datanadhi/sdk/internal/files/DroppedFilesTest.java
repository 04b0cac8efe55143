package com.datanadhi.sdk.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.ManualTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
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
  void lines_that_another_process_has_released_meanwhile_are_not_deleted() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path unused = files.write("exit", records(4));
    List<String> sent = new ArrayList<>();
    RedeliveryPass.Sender all =
        records -> {
          sent.addAll(keys(records));
          return new RedeliveryPass.Outcome(records, List.of());
        };
    RedeliveryPass.Sender none = records -> new RedeliveryPass.Outcome(List.of(), List.of());
    RedeliveryPass first = files.pass(false);
    assertThat(first.next(2, 1 << 20, all)).hasValue(new RedeliveryPass.Result(2, 0, 0, false));
    // Of other processes: one leaves only the lines that are not delivered, one begins with them.
    assertThat(files.pass(false).next(100, 1 << 20, none))
        .hasValue(new RedeliveryPass.Result(0, 2, 0, true));
    assertThat(files.pass(false).next(1, 1 << 20, none))
        .hasValue(new RedeliveryPass.Result(0, 1, 0, false));
    assertThat(first.next(100, 1 << 20, all)).hasValue(new RedeliveryPass.Result(2, 0, 0, true));
    assertThat(sent).containsExactly("k-0", "k-1", "k-2", "k-3");
    assertThat(all()).isEmpty();
  }

  @Test
  void a_file_that_cannot_be_read_is_left_out() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path young = files.write("exit", records(2));
    Path old = young.resolveSibling("exit_1000000000000.jsonl");
    // A regular file, which can be opened, but not read.
    Files.createSymbolicLink(old, Path.of("/proc/self/mem"));
    List<String> sent = new ArrayList<>();
    RedeliveryPass.Sender all =
        records -> {
          sent.addAll(keys(records));
          return new RedeliveryPass.Outcome(records, List.of());
        };
    RedeliveryPass pass = files.pass(false);
    assertThatThrownBy(() -> pass.next(100, 1 << 20, all))
        .isInstanceOf(RedeliveryPass.FileFailedException.class)
        .hasMessageContaining(old.toString());
    assertThat(pass.next(100, 1 << 20, all)).hasValue(new RedeliveryPass.Result(2, 0, 0, true));
    assertThat(sent).containsExactly("k-0", "k-1");
  }

  /** Else its records would be sent again and again. */
  @Test
  void the_records_of_a_file_that_cannot_be_marked_are_not_sent() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path file = files.write("exit", records(2));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
    assumeFalse(Files.isWritable(file), "skipped: root can write to every file");
    assertThatThrownBy(() ->
            files
                .pass(false)
                .next(
                    100,
                    1 << 20,
                    records -> {
                      throw new AssertionError("sent");
                    }))
        .isInstanceOf(RedeliveryPass.FileFailedException.class);
  }

  @Test
  void the_age_of_a_file_is_the_time_since_a_record_was_written_to_it() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path young = files.write("exit", records(3));
    Path dropped = young.getParent();
    List<Path> named =
        List.of(
            dropped.resolve("backup_2024.jsonl"),
            dropped.resolve("primary_failed_%d.jsonl".formatted(time.millis() / 1000)),
            dropped.resolve("exit_999999999999999999.jsonl"));
    for (Path file : named) {
      Files.copy(young, file);
    }
    setAge(young, Duration.ofMinutes(59));
    for (Path file : named) {
      setAge(file, Duration.ofMinutes(59));
    }
    RedeliveryPass.Sender some =
        records -> new RedeliveryPass.Outcome(records.subList(0, 1), List.of());
    RedeliveryPass pass = files.pass(true);
    do {
      assertThat(pass.next(100, 1 << 20, some)).isPresent();
    } while (!pass.isDone());
    assertThat(files.deleteOlderThan(Duration.ofHours(1)))
        .isEqualTo(new DroppedFiles.Expired(0, List.of()));
    assertThat(all()).hasSize(4);

    time.advance(Duration.ofMinutes(2));
    assertThat(files.deleteOlderThan(Duration.ofHours(1)))
        .isEqualTo(new DroppedFiles.Expired(8, List.of()));
    assertThat(all()).isEmpty();
  }

  private void setAge(Path file, Duration age) throws Exception {
    Files.setLastModifiedTime(file, FileTime.fromMillis(time.millis() - age.toMillis()));
  }

  @Test
  void an_old_file_that_cannot_be_read_does_not_keep_others() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path old = files.write("exit", records(2));
    setAge(old, Duration.ofHours(2));
    Path unreadable = old.resolveSibling("exit_1000000000000.jsonl");
    Files.createSymbolicLink(unreadable, Path.of("/proc/self/mem"));
    time.advance(Duration.ofDays(10_000));
    DroppedFiles.Expired expired = files.deleteOlderThan(Duration.ofDays(1));
    assertThat(expired.records()).isEqualTo(2);
    assertThat(expired.failures())
        .singleElement()
        .satisfies(failure -> assertThat(failure).hasMessageContaining(unreadable.toString()));
    assertThat(all()).containsExactly(unreadable);
  }

  @Test
  void a_file_is_not_claimed_while_another_sdk_may_write_to_it() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    Path own = files.write("exit", records(1));
    setAge(own, Duration.ofSeconds(10));
    String line = "{\"pipelines\":[\"a\"],\"log_data\":{\"idempotency_key\":\"k\"}}";
    Path whole = own.resolveSibling("primary_failed_1.jsonl");
    Path part = own.resolveSibling("queue_full_2.jsonl");
    Path empty = own.resolveSibling("exit_3.jsonl");
    Files.writeString(whole, line + "\n");
    Files.writeString(part, line.substring(0, 20));
    Files.createFile(empty);
    for (Path foreign : List.of(whole, part, empty)) {
      setAge(foreign, Duration.ofSeconds(10));
      assertThat(files.claim(foreign)).isEmpty();
    }
    assertThat(files.claim(own)).isPresent();

    time.advance(Duration.ofMinutes(1));
    for (Path foreign : List.of(whole, part, empty)) {
      assertThat(files.claim(foreign)).isPresent();
    }
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
