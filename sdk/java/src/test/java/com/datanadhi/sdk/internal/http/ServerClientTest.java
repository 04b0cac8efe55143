package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.testkit.LogServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class ServerClientTest {
  /** As in a redelivery that begins a request while the client is being closed. */
  @Test
  void a_request_after_the_threads_are_stopped_counts_as_cancelled() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (LogServer server = LogServer.up()) {
      ServerClient client =
          new ServerClient(
              new JdkTransport(
                  () -> HttpClient.newBuilder().executor(threads).build(), Proxies.none()),
              URI.create(server.url()),
              "key");
      threads.shutdown();
      RequestBody body =
          RequestBodies.single(new OutgoingRecord(List.of("orders"), "{\"seq\":1}", "k-1"));
      ServerClient.Cancellation cancellation = new ServerClient.Cancellation();
      assertThat(client.post("/log", body, 0, Duration.ofSeconds(60), cancellation))
          .isInstanceOf(Exchange.Cancelled.class);
    }
  }
}
