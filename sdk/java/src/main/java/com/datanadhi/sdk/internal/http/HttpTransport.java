package com.datanadhi.sdk.internal.http;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/** Sends HTTP requests. Thread-safe. */
public interface HttpTransport extends AutoCloseable {
  /**
   * A request: a GET if it has no body, else a POST.
   *
   * @param url of http or https; its host can contain underscores
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Call(URI url, Map<String, String> headers, byte[] body) {
    /** A request without a body. */
    public static Call get(URI url, Map<String, String> headers) {
      return new Call(url, headers, new byte[0]);
    }

    boolean isGet() {
      return body.length == 0;
    }
  }

  /** A whole response. */
  record Answer<T>(int status, HttpHeaders headers, T body) {}

  /**
   * Sends the request. The handler gets the status and the headers before the body arrives. To
   * cancel the future ends the exchange and its connection. There is no time-out that a caller can
   * rely on, but that of the connection. A proxy that demands a password (407) is a
   * ConnectException.
   *
   * @throws RejectedExecutionException if the threads of this client have ended
   */
  <T> CompletableFuture<Answer<T>> send(Call call, HttpResponse.BodyHandler<T> handler);

  /** Ends the threads of this client; requests that run fail or stay without an answer. */
  @Override
  void close();
}
