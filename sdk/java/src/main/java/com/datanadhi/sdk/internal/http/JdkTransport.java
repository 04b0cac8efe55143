package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.http.Proxies.ProxyServer;
import java.net.HttpURLConnection;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** Sends requests with the JDK's HTTP client. Thread-safe. */
public final class JdkTransport implements HttpTransport {
  private final ClosableHttpClient client;
  private final Proxies proxies;

  /**
   * Makes a client with {@code building}.
   *
   * @param proxies the rules by which that client chooses proxies
   */
  public JdkTransport(Supplier<HttpClient> building, Proxies proxies) {
    this.client = new ClosableHttpClient(building);
    this.proxies = proxies;
  }

  @Override
  public <T> CompletableFuture<Answer<T>> send(Call call, HttpResponse.BodyHandler<T> handler) {
    HttpRequest.Builder request = HttpRequest.newBuilder(call.url());
    call.headers().forEach(request::header);
    // With an Authenticator, an answer 401 would be an error without a status. For https the JDK
    // sends the header to the proxy only, and only if its properties allow it.
    proxies
        .select(HostAddress.require(call.url()))
        .map(ProxyServer::authorization)
        .filter(value -> !value.isEmpty())
        .ifPresent(value -> request.header(Proxies.AUTHORIZATION, value));
    if (!call.isGet()) {
      request.POST(HttpRequest.BodyPublishers.ofByteArray(call.body()));
    }
    CompletableFuture<HttpResponse<T>> sent =
        client
            .get()
            .sendAsync(
                request.build(),
                head ->
                    isOfProxy(head.statusCode())
                        ? HttpResponse.BodySubscribers.replacing(null)
                        : handler.apply(head));
    CompletableFuture<Answer<T>> answer = sent.thenApply(got -> answer(call, got));
    // Only the JDK's own future ends the exchange.
    var unused =
        answer.whenComplete((got, failed) -> {
          if (failed != null) {
            boolean unusedResult = sent.cancel(true);
          }
        });
    return answer;
  }

  private static boolean isOfProxy(int status) {
    return status == HttpURLConnection.HTTP_PROXY_AUTH;
  }

  private static <T> Answer<T> answer(Call call, HttpResponse<T> got) {
    if (isOfProxy(got.statusCode())) {
      throw new CompletionException(Proxies.refusal(call.url()));
    }
    return new Answer<>(got.statusCode(), got.headers(), got.body());
  }

  @Override
  public void close() {
    client.close();
  }
}
