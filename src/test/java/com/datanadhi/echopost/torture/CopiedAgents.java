package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.Polling;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Two real agents, the second on a copy of the first one's directory, made while records were
/// pending in it. An agent exits once it has delivered everything; it is started again for the next
/// record, as an SDK does. Not thread-safe, except [#send].
final class CopiedAgents implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int STARTS = 5;

  private final List<Slot> slots;

  /// @param apiKey of the hub's tenant
  CopiedAgents(Path directory, String apiKey) {
    this.slots =
        List.of(
            new Slot(directory.resolve("agent"), apiKey),
            new Slot(directory.resolve("agent-copy"), apiKey));
  }

  /// Lets an agent store `payloads` while its server is down, kills it, and copies its directory.
  void storeAndCopy(List<String> payloads) throws IOException, InterruptedException {
    int closedPort;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closedPort = free.getLocalPort();
    }
    try (Slot original = slots.getFirst()) {
      original.url = "http://127.0.0.1:" + closedPort;
      for (String payload : payloads) {
        original.send(null, payload);
      }
    }
    Process cp =
        new ProcessBuilder(
                "cp",
                "-a",
                slots.getFirst().directory.toString(),
                slots.getLast().directory.toString())
            .start();
    if (cp.waitFor() != 0) {
      throw new IOException("the agent's directory cannot be copied");
    }
  }

  /// Starts an agent on each directory.
  void start(String url) throws IOException, InterruptedException {
    for (Slot slot : slots) {
      slot.url = url;
      slot.start();
    }
  }

  /// Hands a record to an agent, and returns when it is acknowledged.
  ///
  /// @param agent 0 for the original, 1 for the copy
  /// @param key the record's idempotency key; null if the agent is to give it one
  void send(int agent, @Nullable String key, String payload)
      throws IOException, InterruptedException {
    slots.get(agent).send(key, payload);
  }

  /// Waits until both agents have delivered everything.
  ///
  /// @return how many records the hub rejected
  long awaitDelivered() {
    long rejected = 0;
    for (Slot slot : slots) {
      long _ =
          Polling.until(
              () -> slot.ledger("pending") == 0,
              Duration.ofMillis(20),
              LIMIT,
              () -> "records are pending in " + slot.directory);
      rejected += slot.ledger("rejected");
    }
    return rejected;
  }

  /// Kills the agents.
  @Override
  public void close() throws IOException, InterruptedException {
    for (Slot slot : slots) {
      slot.close();
    }
  }

  /// A directory, and the agent that runs on it.
  private static final class Slot implements AutoCloseable {
    private static final Metadata.Key<String> IDEMPOTENCY_KEY =
        Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

    final Path directory;
    private final String apiKey;
    String url = "";
    private @Nullable AgentProcess agent;
    private @Nullable LoadClient client;
    private @Nullable ManagedChannel channel;

    Slot(Path directory, String apiKey) {
      this.directory = directory;
      this.apiKey = apiKey;
    }

    synchronized void start() throws IOException, InterruptedException {
      close();
      AgentProcess started = AgentProcess.spawn(directory, url);
      agent = started;
      started.awaitReady();
      LoadClient connecting = new LoadClient(started.socket());
      client = connecting;
      channel = connecting.newChannel();
    }

    synchronized void send(@Nullable String key, String payload)
        throws IOException, InterruptedException {
      Metadata headers = new Metadata();
      if (key != null) {
        headers.put(IDEMPOTENCY_KEY, key);
      }
      LogRequest request =
          LogRequest.newBuilder()
              .setJsonData(payload)
              .addAllPipelines(HubKeysRound.PIPELINES)
              .setApiKey(apiKey)
              .build();
      for (int starts = 0; ; starts++) {
        try {
          ManagedChannel connected = channel;
          if (connected != null
              && LogAgentGrpc.newBlockingStub(connected)
                  .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                  .withDeadlineAfter(LIMIT.toSeconds(), TimeUnit.SECONDS)
                  .sendLog(request)
                  .getSuccess()) {
            return;
          }
        } catch (StatusRuntimeException failed) {
          // An agent that has drained takes no more calls, and has refused this one.
          if (failed.getStatus().getCode() != Status.Code.UNAVAILABLE || starts == STARTS) {
            throw new IOException("an agent has not stored a record under " + key, failed);
          }
        }
        start();
      }
    }

    long ledger(String column) {
      try (Connection connection =
              DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
          Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery("SELECT " + column + " FROM ledger")) {
        return row.next() ? row.getLong(1) : -1;
      } catch (SQLException busy) {
        return -1;
      }
    }

    @Override
    public synchronized void close() throws IOException, InterruptedException {
      if (channel != null) {
        channel.shutdownNow();
        channel = null;
      }
      if (client != null) {
        client.close();
        client = null;
      }
      if (agent != null) {
        agent.close();
        agent = null;
      }
    }
  }
}
