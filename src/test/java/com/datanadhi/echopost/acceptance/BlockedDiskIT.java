package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import io.grpc.Status;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// A buffer that cannot store records for a while.
class BlockedDiskIT extends AcceptanceTest {
  @Test
  void while_nothing_can_be_stored_clients_are_slowed_down_before_they_are_refused()
      throws Exception {
    AgentProcess agent = agent();
    LoadClient client = client(agent);
    // 512 concurrent calls of 64 KiB: twice the limit of records in memory.
    LoadClient.Load load = new LoadClient.Load(800, 65_536, 4, 128, 0, 0);
    LoadClient.Result result;
    try (Sqlite buffer = new Sqlite(directory)) {
      buffer.execute("BEGIN IMMEDIATE");
      AtomicBoolean locked = new AtomicBoolean(true);
      // While the lock is held nothing can be stored: the first answer must be a refusal.
      result =
          client.run(
              load,
              answers -> {
                if (answers > 0 && locked.compareAndSet(true, false)) {
                  unlock(buffer);
                }
              });
    }

    assertThat(result.firstFailure())
        .isNotNull()
        .extracting(Status::getCode)
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(result.acknowledged()).isGreaterThan(200);
    assertThat(Long.parseLong(query("SELECT count(*) FROM records")))
        .isEqualTo(result.acknowledged());
    send(agent, load(100, 1));
  }

  private static void unlock(Sqlite buffer) {
    try {
      buffer.execute("COMMIT");
    } catch (SQLException failed) {
      throw new IllegalStateException(failed);
    }
  }
}
