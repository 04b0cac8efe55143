package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.testkit.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A disk on which another program takes each byte that becomes free.
class BufferNoFreeByteTest {
  private static final String PAYLOAD = "\"" + "x".repeat(2_000) + "\"";

  @TempDir Path directory;
  private SmallDisk disk;
  private Buffer buffer;
  private volatile boolean filling;
  private Thread filler = new Thread();

  @BeforeEach
  void openOnSmallDisk() throws Exception {
    disk = SmallDisk.mountOrSkip(directory, "24m");
    open();
  }

  private void open() throws Exception {
    buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
  }

  @AfterEach
  void closeAll() throws Exception {
    filling = false;
    filler.join();
    if (disk != null) {
      buffer.close();
      disk.close();
    }
  }

  private void storeUntilFull() throws Exception {
    for (int stored = 0; ; stored++) {
      Appended append = Appended.to(buffer, Appended.record(PAYLOAD, "", null));
      if (append.outcome() instanceof Outcome.DiskFull) {
        assertThat(stored).isPositive();
        return;
      }
    }
  }

  private void takeEveryFreeByte() throws IOException {
    Path _ = disk.fill();
    filling = true;
    filler =
        Thread.ofPlatform()
            .start(() -> {
              while (filling) {
                try {
                  Path _ = disk.fill();
                } catch (IOException none) {
                  return;
                }
              }
            });
  }

  private void acknowledgeAll() throws Exception {
    while (!buffer.isDrained()) {
      List<PendingRecord> batch = buffer.read(256, 1 << 20);
      buffer.acknowledge(batch.getLast().id());
    }
    assertThat(buffer.totals().pending()).isZero();
  }

  private void assertSoundAndEmpty(long delivered) throws Exception {
    filling = false;
    filler.join();
    Files.delete(directory.resolve("filling"));
    buffer.close();
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    assertThat(buffer.totals().delivered()).isEqualTo(delivered);
    try (Sqlite sqlite = new Sqlite(directory)) {
      assertThat(sqlite.query("SELECT count(*) FROM records")).isEqualTo("0");
    }
  }

  @Test
  void all_records_can_be_acknowledged_after_the_disk_was_full() throws Exception {
    storeUntilFull();
    long stored = buffer.totals().pending();
    takeEveryFreeByte();

    acknowledgeAll();

    assertSoundAndEmpty(stored);
  }

  @Test
  void all_records_can_be_acknowledged_that_no_checkpoint_has_reached() throws Exception {
    Appended.store(buffer, PAYLOAD, PAYLOAD);
    for (int i = 0; i < 400; i++) {
      Appended.store(buffer, PAYLOAD);
    }
    Path _ = disk.fill();

    acknowledgeAll();

    assertSoundAndEmpty(402);
  }

  @Test
  void a_run_that_ended_with_a_full_disk_can_be_continued_without_a_free_byte() throws Exception {
    storeUntilFull();
    long stored = buffer.totals().pending();
    Path _ = disk.fill();
    buffer.close();
    assertThat(directory.resolve("reserve")).exists();
    Path _ = disk.fill();
    assertThat(disk.free()).isZero();

    open();
    acknowledgeAll();

    assertSoundAndEmpty(stored);
  }

  @Test
  void records_can_be_rejected_without_a_free_byte() throws Exception {
    storeUntilFull();
    long stored = buffer.totals().pending();
    Path _ = disk.fill();

    List<PendingRecord> first = buffer.read(1, 1);
    buffer.reject(new Rejection(first.getFirst(), 400, "no", 1, 7));
    acknowledgeAll();

    assertThat(buffer.totals().rejected()).isEqualTo(1);
    assertSoundAndEmpty(stored - 1);
  }

  @Test
  void records_can_be_rejected_while_another_program_takes_what_deletes_give_back()
      throws Exception {
    storeUntilFull();
    long stored = buffer.totals().pending();
    takeEveryFreeByte();
    Path file = directory.resolve("buffer.db");

    long rejected = 0;
    while (rejected < 12) {
      List<PendingRecord> batch = buffer.read(64, 1 << 20);
      buffer.acknowledge(batch.get(62).id());
      // Until the writer gives no more space back.
      AtomicLong size = new AtomicLong();
      await()
          .during(Duration.ofMillis(600))
          .atMost(Duration.ofSeconds(20))
          .until(() -> {
            long now = Files.size(file);
            return size.getAndSet(now) == now;
          });
      buffer.reject(new Rejection(batch.getLast(), 400, "no", 1, 7));
      rejected++;
    }
    acknowledgeAll();

    assertThat(buffer.totals().rejected()).isEqualTo(rejected);
    assertSoundAndEmpty(stored - rejected);
  }

  @Test
  void a_log_that_is_also_the_reserve_is_kept_when_its_buffer_is_damaged() throws Exception {
    for (int i = 0; i < 300; i++) {
      Appended.store(buffer, PAYLOAD);
    }
    Path file = directory.resolve("buffer.db");
    Path log = directory.resolve("buffer.db-wal");
    byte[] killedFile = Files.readAllBytes(file);
    byte[] killedLog = Files.readAllBytes(log);
    buffer.close();
    // What a run leaves that is killed while it closes the buffer, with a damaged header.
    Arrays.fill(killedLog, 0, 8, (byte) 0);
    Files.write(file, killedFile);
    Files.write(log, killedLog);
    Files.deleteIfExists(directory.resolve("reserve"));
    Path _ = Files.createLink(directory.resolve("reserve"), log);

    open();
    assertThat(buffer.wasDamaged()).isTrue();
    storeUntilFull();

    try (Stream<Path> names = Files.list(directory)) {
      assertThat(names.filter(name -> name.toString().matches(".*damaged.*-wal")))
          .singleElement()
          .satisfies(moved -> assertThat(moved).hasBinaryContent(killedLog));
    }
  }
}
