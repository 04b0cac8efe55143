package com.datanadhi.echopost.grpc;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The headers of a request, checked ("Request-Headers" of gRPC over HTTP/2). Immutable.
sealed interface RequestHeaders {
  /// The number of characters of a client's text that an error message repeats.
  int MAX_QUOTED = 100;

  /// The headers of a call of `method`. Calls whose headers are the same bytes share it, so the
  /// metadata must not be changed.
  record Accepted(Http2Headers headers, GrpcMethod<?, ?> method, Metadata metadata)
      implements RequestHeaders {}

  /// The headers of a call that is refused.
  ///
  /// @param why is sent to the client
  record Refused(HttpResponseStatus http, String why) implements RequestHeaders {}

  /// Checks the headers of a call.
  static RequestHeaders read(Http2Headers headers, GrpcApplication application) {
    if (!HttpMethod.POST.asciiName().contentEquals(orEmpty(headers.method()))) {
      return new Refused(
          HttpResponseStatus.METHOD_NOT_ALLOWED, "the HTTP method of a gRPC call is POST");
    }
    if (!isGrpc(orEmpty(headers.get(HttpHeaderNames.CONTENT_TYPE)))) {
      return new Refused(
          HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
          "the content-type of a gRPC call is application/grpc");
    }
    String path = orEmpty(headers.path()).toString();
    GrpcMethod<?, ?> method = path.startsWith("/") ? application.method(path.substring(1)) : null;
    if (method == null) {
      return new Refused(HttpResponseStatus.OK, "there is no method '" + shortened(path) + "'");
    }
    return new Accepted(headers, method, metadata(headers));
  }

  /// The beginning of a client's text, for an error message.
  static String shortened(String text) {
    return text.length() <= MAX_QUOTED ? text : text.substring(0, MAX_QUOTED) + "…";
  }

  private static CharSequence orEmpty(@Nullable CharSequence value) {
    return value == null ? "" : value;
  }

  private static boolean isGrpc(CharSequence contentType) {
    AsciiString grpc = ResponseWriter.CONTENT_TYPE;
    int length = grpc.length();
    return AsciiString.regionMatches(contentType, true, 0, grpc, 0, length)
        && (contentType.length() == length
            || contentType.charAt(length) == '+'
            || contentType.charAt(length) == ';');
  }

  /// The header fields without pseudo-headers. Values of binary headers stay in base64, since no
  /// method reads any.
  private static Metadata metadata(Http2Headers headers) {
    List<byte[]> namesAndValues = new ArrayList<>(2 * headers.size());
    for (Map.Entry<CharSequence, CharSequence> header : headers) {
      if (!Http2Headers.PseudoHeaderName.hasPseudoHeaderFormat(header.getKey())) {
        namesAndValues.add(AsciiString.of(header.getKey()).toByteArray());
        namesAndValues.add(AsciiString.of(header.getValue()).toByteArray());
      }
    }
    return InternalMetadata.newMetadata(namesAndValues.toArray(byte[][]::new));
  }
}
