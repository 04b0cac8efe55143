package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class JdkTransportTest {
  /**
   * An application can hold a closed client of the SDK. As long as a client of the JDK is held,
   * newer JDKs hold its proxies, and with them the class loader of the SDK.
   */
  @Test
  void a_closed_transport_does_not_hold_its_client() {
    AtomicReference<WeakReference<HttpClient>> built = new AtomicReference<>();
    JdkTransport transport =
        new JdkTransport(
            () -> {
              HttpClient client = HttpClient.newHttpClient();
              built.set(new WeakReference<>(client));
              return client;
            },
            Proxies.none());
    transport.close();
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> {
          System.gc();
          assertThat(built.get().get()).isNull();
        });
    HttpTransport.Call call = HttpTransport.Call.get(URI.create("http://127.0.0.1:9/"), Map.of());
    assertThatThrownBy(() -> transport.send(call, BodyHandlers.discarding()))
        .isInstanceOf(RejectedExecutionException.class);
  }
}
