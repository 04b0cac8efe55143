package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// A buffer in a temporary directory, open before each test and closed after it.
abstract class BufferFixture {
  @TempDir Path directory;
  final ManualClock clock = new ManualClock();
  final AtomicInteger stored = new AtomicInteger();
  final AtomicInteger failed = new AtomicInteger();
  final AtomicInteger replacements = new AtomicInteger();
  Buffer buffer;

  final BufferListener listener() {
    return new BufferListener() {
      @Override
      public void stored() {
        int _ = stored.incrementAndGet();
      }

      @Override
      public void failed() {
        int _ = failed.incrementAndGet();
      }

      @Override
      public void bufferReplaced() {
        int _ = replacements.incrementAndGet();
      }
    };
  }

  private static final ActiveWriter.Replacement NO_REPLACEMENT =
      new ActiveWriter.Replacement() {
        @Override
        public BufferWriter create(BufferWriter damaged, StorageException why) {
          return damaged;
        }

        @Override
        public BufferWriter restore(BufferWriter open, Runnable progress) {
          return open;
        }
      };

  @BeforeEach
  final void open() throws Exception {
    buffer = Buffer.open(directory, clock, listener());
  }

  @AfterEach
  final void close() throws Exception {
    buffer.close();
  }

  final void reopen() throws Exception {
    buffer.close();
    open();
  }

  /// A pipeline of its own that writes through `connection`, and replaces no damaged buffer.
  final CommitPipeline pipeline(Connection connection, Duration lockTimeout) throws Exception {
    return new CommitPipeline(
        new BufferWriter(connection, directory.resolve("buffer.db"), new RecordKeys()),
        new DiskReserve(directory.resolve("reserve"), new Volume(directory)),
        listener(),
        Clock.system(),
        lockTimeout,
        NO_REPLACEMENT);
  }

  final List<PendingRecord> pending() throws Exception {
    return buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE);
  }

  final List<String> payloads() throws Exception {
    return pending().stream()
        .map(record -> new String(record.content().jsonData(), UTF_8))
        .toList();
  }

  /// The pending records, which must be sound, each as its payload and its idempotency key.
  final List<String> payloadsAndKeys() throws Exception {
    return pending().stream()
        .map(record -> {
          assertThat(record.sound()).isTrue();
          return new String(record.content().jsonData(), UTF_8) + " " + record.idempotencyKey();
        })
        .toList();
  }

  /// The source of the first key that was given, without a check of its number.
  final String source() throws Exception {
    return sql(
        "SELECT substr(origin, 1, 36) FROM (SELECT * FROM records UNION ALL SELECT id, received_at,"
            + " json_data, pipelines, api_key, origin, crc32c FROM rejected) WHERE length(origin) >"
            + " 36 ORDER BY id LIMIT 1");
  }

  final String bufferId() throws Exception {
    return sql("SELECT buffer_id FROM meta");
  }

  /// The result of a query, through a connection of another program.
  final String sql(String query) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      return sqlite.query(query);
    }
  }

  /// Runs statements, through a connection of another program.
  final void change(String... statements) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      for (String statement : statements) {
        sqlite.execute(statement);
      }
    }
  }

  /// The quarantined files with `suffix`, sorted by name.
  final List<Path> quarantined(String suffix) throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(file -> file.toString().matches(".*\\.damaged-[-0-9TZ]*" + suffix))
          .sorted()
          .toList();
    }
  }

  final void rejectNext(int status) throws Exception {
    buffer.reject(new Rejection(buffer.read(1, 1).getFirst(), status, "no", 1, 7));
  }

  final RejectedRange.Batch apply(
      RejectedRange.Action action, long after, long through, @Nullable Integer status)
      throws Exception {
    return buffer.apply(new RejectedRange(action, after, through, status)).get(1, TimeUnit.MINUTES);
  }

  /// Checks accepted, delivered, pending, rejected and discarded, and how many rows `records` and
  /// `rejected` have.
  final void assertLedger(String ledger, String rows) throws Exception {
    assertThat(
            sql(
                "SELECT accepted||' '||delivered||' '||pending||' '||rejected||' '||discarded FROM"
                    + " ledger"))
        .isEqualTo(ledger);
    assertThat(sql("SELECT (SELECT count(*) FROM records)||' '||(SELECT count(*) FROM rejected)"))
        .isEqualTo(rows);
  }
}
