package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.time.Clock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// The size of the files: the limit of the write-ahead log, and space that is given back.
class BufferFileSpaceTest extends BufferFixture {
  @Test
  void all_files_are_private() throws Exception {
    Appended.store(buffer, "1");
    await().until(() -> Files.exists(directory.resolve("reserve")));
    for (String name : List.of("buffer.db", "buffer.db-wal", "buffer.db-shm", "reserve")) {
      assertThat(Files.getPosixFilePermissions(directory.resolve(name)))
          .as(name)
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
  }

  @Test
  void the_wal_is_bounded_under_a_steady_load_with_a_reader() throws Exception {
    Path wal = directory.resolve("buffer.db-wal");
    String payload = "\"" + "x".repeat(64 << 10) + "\"";
    long largest = 0;
    for (int round = 0; round < 40; round++) {
      List<Appended> batch = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        batch.add(Appended.to(buffer, Appended.record(payload, "", null)));
      }
      assertThat(buffer.read(64, 1 << 20)).hasSizeGreaterThanOrEqualTo(round == 0 ? 0 : 16);
      for (Appended append : batch) {
        assertThat(append.outcome()).isEqualTo(new Outcome.Stored());
      }
      largest = Math.max(largest, Files.size(wal));
    }
    assertThat(Files.size(directory.resolve("buffer.db"))).isGreaterThan(64 << 20);
    assertThat(largest).isPositive().isLessThanOrEqualTo(64 << 20);
  }

  @Test
  void without_a_reader_the_wal_is_checkpointed_while_it_is_small() throws Exception {
    String payload = "\"" + "x".repeat(64 << 10) + "\"";
    for (int i = 0; i < 200; i++) {
      Appended.store(buffer, payload);
    }
    // The size at which SQLite checkpoints, and the commit that reaches it.
    assertThat(Files.size(directory.resolve("buffer.db-wal"))).isBetween(1L << 20, 5L << 19);
  }

  @Test
  void reclaiming_space_empties_the_wal_and_shrinks_the_file() throws Exception {
    String payload = "x".repeat(1 << 20);
    Appended.store(buffer, payload, payload, payload);
    buffer.acknowledge(3);
    buffer.reclaimSpace();
    assertThat(directory.resolve("buffer.db-wal")).isEmptyFile();
    assertThat(Files.size(directory.resolve("buffer.db"))).isLessThan(1 << 20);
  }

  @Test
  void the_space_of_a_backlog_is_given_back_after_a_rejection_in_the_same_run() throws Exception {
    String[] payloads = new String[9];
    Arrays.fill(payloads, "x".repeat(4 << 20));
    payloads[0] = "1";
    Appended.store(buffer, payloads);
    buffer.reject(new Rejection(pending().getFirst(), 400, "no", 1, 7));
    buffer.acknowledge(9);

    buffer.reclaimSpace();

    assertThat(Files.size(directory.resolve("buffer.db"))).isLessThan(1 << 20);
    assertThat(buffer.totals().rejected()).isEqualTo(1);
  }

  @Test
  void the_space_of_a_delivered_backlog_is_given_back_in_one_step() throws Exception {
    String payload = "x".repeat(4 << 20);
    String[] payloads = new String[8];
    Arrays.fill(payloads, payload);
    Appended.store(buffer, payloads);
    buffer.acknowledge(8);
    buffer.close();
    AtomicLong nanos = new AtomicLong();
    // Each read of the clock is two seconds later, so there is no time for a second step.
    Clock hasty =
        new Clock() {
          @Override
          public long millis() {
            return clock.millis();
          }

          @Override
          public long nanos() {
            return nanos.addAndGet(2_000_000_000);
          }
        };
    buffer = Buffer.open(directory, hasty, listener());

    buffer.reclaimSpace();

    assertThat(Files.size(directory.resolve("buffer.db"))).isLessThan(1 << 20);
    Appended.store(buffer, "9");
    assertThat(pending()).extracting(PendingRecord::id).containsExactly(9L);
    reopen();
    assertThat(payloads()).containsExactly("9");
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void closing_deletes_the_wal() throws Exception {
    Appended.store(buffer, "1");
    buffer.close();
    assertThat(directory.resolve("buffer.db-wal")).doesNotExist();
    assertThat(directory.resolve("buffer.db-shm")).doesNotExist();
    open();
    assertThat(payloads()).containsExactly("1");
  }

  @Test
  void the_log_keeps_its_size_while_records_are_pending_and_is_truncated_after_them()
      throws Exception {
    Path log = directory.resolve("buffer.db-wal");
    Appended.store(buffer, "1");
    await().until(() -> Files.size(log) >= 2 << 20);
    reopen();
    await().until(() -> Files.size(log) >= 2 << 20);
    assertThat(payloads()).containsExactly("1");
    buffer.acknowledge(1);
    buffer.reclaimSpace();
    assertThat(log).isEmptyFile();
  }

  @Test
  void an_idle_connection_of_another_process_keeps_no_log_behind_a_closed_buffer()
      throws Exception {
    try (Sqlite reader = new Sqlite(directory)) {
      Appended.store(buffer, "x".repeat(1 << 20));
      assertThat(reader.query("SELECT count(*) FROM records")).isEqualTo("1");
      buffer.acknowledge(1);
      buffer.close();
      assertThat(directory.resolve("buffer.db-wal")).isEmptyFile();
    }
    open();
  }

  @Test
  void a_log_that_a_reader_keeps_is_truncated_by_the_next_run_without_a_reader() throws Exception {
    try (Sqlite reader = new Sqlite(directory)) {
      Appended.store(buffer, "x".repeat(1 << 20));
      reader.execute("BEGIN");
      assertThat(reader.query("SELECT count(*) FROM records")).isEqualTo("1");
      buffer.acknowledge(1);
      buffer.close();
      assertThat(Files.size(directory.resolve("buffer.db-wal"))).isPositive();
      reader.execute("COMMIT");
      reopen();
      buffer.close();
      assertThat(directory.resolve("buffer.db-wal")).isEmptyFile();
    }
    open();
  }
}
