package com.datanadhi.sdk.internal.http;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Sends requests with the JDK's HTTP client. Thread-safe. */
public final class JdkTransport implements HttpTransport {
  private final ClosableHttpClient client;

  /** Makes a client with {@code building}. */
  public JdkTransport(Supplier<HttpClient> building) {
    this.client = new ClosableHttpClient(building);
  }

  @Override
  public <T> CompletableFuture<Answer<T>> send(Call call, HttpResponse.BodyHandler<T> handler) {
    HttpRequest.Builder request = HttpRequest.newBuilder(call.url());
    call.headers().forEach(request::header);
    if (!call.isGet()) {
      request.POST(HttpRequest.BodyPublishers.ofByteArray(call.body()));
    }
    CompletableFuture<HttpResponse<T>> sent = client.get().sendAsync(request.build(), handler);
    CompletableFuture<Answer<T>> answer =
        sent.thenApply(got -> new Answer<>(got.statusCode(), got.headers(), got.body()));
    // Only the JDK's own future ends the exchange.
    var unused =
        answer.whenComplete((got, failed) -> {
          if (failed != null) {
            boolean unusedResult = sent.cancel(true);
          }
        });
    return answer;
  }

  @Override
  public void close() {
    client.close();
  }
}
