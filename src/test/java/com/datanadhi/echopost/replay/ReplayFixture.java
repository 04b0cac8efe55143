package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.time.ManualClock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.ManualServerState;
import com.datanadhi.echopost.upstream.ServerResponse;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// Replay of a buffer in a temporary directory to a server that is up, by a scripted client.
abstract class ReplayFixture {
  @TempDir Path directory;
  final ManualClock clock = new ManualClock();
  final ScriptedClient client = new ScriptedClient();
  final ManualServerState server = new ManualServerState(clock);
  Buffer buffer;
  Replay replay;

  @BeforeEach
  final void open() throws Exception {
    buffer = Buffer.open(directory, clock, BufferListener.NONE);
    server.comeUp();
    replay = new Replay(buffer, client, server.state(), clock, new Waiter(), new Random(1));
  }

  @AfterEach
  final void close() throws Exception {
    buffer.close();
  }

  static ServerResponse status(int status) {
    return new ServerResponse.Answered(status, null, "body of " + status);
  }

  final String sql(String query) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      return sqlite.query(query);
    }
  }

  final void change(String statement) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      sqlite.execute(statement);
    }
  }
}
