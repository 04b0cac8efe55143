package com.datanadhi.echopost.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.ingest.UnusedStatusSource;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.time.Clock;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadClientTest {
  @TempDir Path directory;

  /// On a second connection of its channel, a call could overtake those that were queued meanwhile:
  /// the torture campaigns would take that for a fault of the agent.
  @Test
  void a_connection_that_has_ended_takes_no_more_calls() throws Exception {
    try (Buffer buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
        LoadClient client = new LoadClient(directory.resolve("data-nadhi-agent.sock"))) {
      LogAgentGrpc.LogAgentBlockingStub stub;
      try (Ingest _ = serve(buffer)) {
        stub = LogAgentGrpc.newBlockingStub(client.newConnection());
        assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();
      }

      try (Ingest _ = serve(buffer)) {
        assertThat(client.send(LoadClient.request(0, 1, 100)).getSuccess()).isTrue();
        assertThatThrownBy(() -> stub.sendLog(LoadClient.request(0, 2, 100)))
            .extracting(Status::fromThrowable)
            .extracting(Status::getCode)
            .isEqualTo(Status.Code.UNAVAILABLE);
      }
    }
  }

  private Ingest serve(Buffer buffer) throws IOException, InterruptedException {
    Ingest ingest =
        new Ingest(directory, PosixFilePermissions.fromString("rw-------"), Clock.system());
    ingest.acceptInto(buffer, new UnusedStatusSource());
    ingest.publish();
    return ingest;
  }
}
