package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.RejectedRange.Action;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// A full disk: appends fail, deletes go on.
class BufferFullDiskTest extends BufferFixture {
  @Test
  void a_write_lock_of_another_process_on_a_full_disk_leaves_the_storage_usable() throws Exception {
    buffer.close();
    Volume volume = new Volume(directory);
    try (Connection connection =
        Database.openWriter(directory.resolve("buffer.db"), volume.walLimit(), 50)) {
      Sql.execute(connection, "PRAGMA max_page_count=20");
      CommitPipeline commits = pipeline(connection, Duration.ofMillis(200));
      commits.start();
      Appended large = Appended.of(Appended.record("\"" + "x".repeat(1_000_000) + "\"", "", null));
      commits.append(large, Clock.system().nanos());
      assertThat(large.outcome()).isInstanceOf(Outcome.DiskFull.class);
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        Appended also = Appended.of(Appended.record("1", "", null));
        commits.append(also, Clock.system().nanos());
        // Long enough for a few attempts to rebuild the reserve, which need the write lock.
        await().during(Duration.ofSeconds(1)).until(() -> commits.failure() == null);
        foreign.execute("ROLLBACK");
      }
      assertThat(commits.failure()).isNull();
      assertThat(failed).hasValue(0);
      assertThat(commits.waitingRecords()).isZero();
      assertThat(commits.waitingBytes()).isZero();
      commits.close();
    }
    open();
  }

  @Test
  void a_redrive_fails_on_a_full_disk_and_a_discard_does_not() throws Exception {
    Appended.store(buffer, "1", "2");
    rejectNext(400);
    rejectNext(400);
    buffer.close();
    Volume volume = new Volume(directory);
    try (Connection connection =
        Database.openWriter(directory.resolve("buffer.db"), volume.walLimit(), 50)) {
      Sql.execute(connection, "PRAGMA max_page_count=20");
      CommitPipeline commits = pipeline(connection, Duration.ofSeconds(1));
      RejectedRange redrive = new RejectedRange(Action.REDRIVE, 0, 9, null);
      Appended large = Appended.of(Appended.record("\"" + "x".repeat(1_000_000) + "\"", "", null));
      // Queued before there is a thread, so that one commit has both.
      commits.append(large, Clock.system().nanos());
      var failing = commits.apply(redrive);
      commits.start();
      assertThat(large.outcome()).isInstanceOf(Outcome.DiskFull.class);
      assertThatThrownBy(() -> failing.get(1, TimeUnit.MINUTES))
          .hasCauseInstanceOf(StorageException.class)
          .hasMessageContaining("the disk is full");
      assertThat(
              commits
                  .apply(new RejectedRange(Action.DISCARD, 0, 1, null))
                  .get(1, TimeUnit.MINUTES)
                  .count())
          .isEqualTo(1);
      assertThat(commits.failure()).isNull();
      assertThat(commits.waitingRecords()).isZero();
      commits.close();
    }
    assertLedger("2 0 0 1 1", "0 1");
    open();
  }
}
