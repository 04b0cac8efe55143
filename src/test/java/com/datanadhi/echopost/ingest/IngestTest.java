package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngestTest {
  @TempDir Path directory;

  /// With a clock that stands still, it spins until its limit of checks.
  @Test
  void the_loop_spins_while_a_single_record_waits_for_its_commit() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1);
    ManualClock clock = new ManualClock();
    try (Buffer buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
        Ingest ingest =
            new Ingest(directory, PosixFilePermissions.fromString("rw-------"), clock)) {
      ingest.acceptInto(buffer, new UnusedStatusSource());
      ingest.publish();
      try (LoadClient client = new LoadClient(directory.resolve("data-nadhi-agent.sock"));
          Sqlite foreign = new Sqlite(directory)) {
        LogAgentGrpc.LogAgentFutureStub stub = LogAgentGrpc.newFutureStub(client.newChannel());
        assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).get().getSuccess()).isTrue();
        assertThat(clock.reads()).isLessThan(10_000);
        foreign.execute("BEGIN IMMEDIATE");

        var second = stub.sendLog(LoadClient.request(0, 1, 100));

        await().until(() -> clock.reads() > 20_000);
        foreign.execute("ROLLBACK");
        assertThat(second.get().getSuccess()).isTrue();
      }
    }
  }
}
