package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/// Write locks that another process holds.
class BufferLocksTest extends BufferFixture {
  @Test
  void appends_wait_while_another_process_holds_the_write_lock() throws Exception {
    Appended waiting = Appended.of(Appended.record("1", "", null));
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("BEGIN IMMEDIATE");
      buffer.append(waiting);
      // Longer than SQLite waits for a lock.
      await().during(Duration.ofMillis(1_500)).until(() -> buffer.waitingRecords() == 1);
      foreign.execute("ROLLBACK");
    }

    assertThat(waiting.outcome()).isEqualTo(new Outcome.Stored());
  }

  @Test
  void a_write_lock_of_another_process_fails_only_the_commits_that_it_outlasts() throws Exception {
    buffer.close();
    Path file = directory.resolve("buffer.db");
    Volume volume = new Volume(directory);
    try (Connection connection = Database.openWriter(file, volume.walLimit(), 50)) {
      CommitPipeline commits = pipeline(connection, Duration.ofMillis(200));
      commits.start();
      Appended locked = Appended.of(Appended.record("1", "", null));
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        commits.append(locked, Clock.system().nanos());
        assertThat(locked.outcome())
            .isInstanceOfSatisfying(
                Outcome.Failed.class,
                outcome -> assertThat(outcome.message()).contains("another process holds"));
        assertThatThrownBy(() -> commits.acknowledge(1).get())
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOfSatisfying(
                StorageException.class, busy -> assertThat(busy.isTransient()).isTrue());
        foreign.execute("ROLLBACK");
      }
      assertThat(commits.failure()).isNull();
      assertThat(failed).hasValue(0);
      Appended kept = Appended.of(Appended.record("2", "", null));
      commits.append(kept, Clock.system().nanos());
      assertThat(kept.outcome()).isEqualTo(new Outcome.Stored());
      assertThat(commits.totals()).isEqualTo(new Totals(1, 0, 0, 0, 1, 0));
      commits.close();
    }
    open();
    assertThat(payloads()).containsExactly("2");
  }

  @Test
  void a_lock_of_another_process_is_a_problem_until_a_commit_would_succeed() throws Exception {
    assertThat(buffer.problem()).isNull();
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("BEGIN IMMEDIATE");
      buffer.append(Appended.of(Appended.record("1", "", null)));
      await().until(() -> buffer.problem() != null);
      assertThat(buffer.problem()).contains("holds a write lock on buffer.db");
      foreign.execute("ROLLBACK");
    }
    await().until(() -> buffer.problem() == null);
  }
}
