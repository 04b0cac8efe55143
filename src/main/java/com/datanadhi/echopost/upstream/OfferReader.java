package com.datanadhi.echopost.upstream;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import java.util.List;

/// Keeps the offer of the newest 2xx response. Responses come on one event loop; any thread may
/// read the offer.
final class OfferReader {
  private volatile Offer offer = Offer.NONE;

  // The headers that the offer was read from: nearly all responses have the same.
  private List<String> acceptPost = List.of();
  private List<String> acceptEncoding = List.of();

  Offer offer() {
    return offer;
  }

  /// Takes the header of a response of the main server.
  void observe(HttpResponse response) {
    if (response.status().codeClass() != HttpStatusClass.SUCCESS) {
      return;
    }
    HttpHeaders headers = response.headers();
    List<String> post = headers.getAll("accept-post");
    List<String> encoding =
        post.isEmpty() ? List.of() : headers.getAll(HttpHeaderNames.ACCEPT_ENCODING);
    if (!post.equals(acceptPost) || !encoding.equals(acceptEncoding)) {
      acceptPost = post;
      acceptEncoding = encoding;
      offer = Offer.of(post, encoding);
    }
  }
}
