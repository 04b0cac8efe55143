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

  /// Headers without the required pseudo-headers: no request at all (RFC 9113, 8.3.1).
  record Malformed(String why) implements RequestHeaders {}

  /// Checks the headers of a call. Everything else that makes a request malformed (RFC 9113, 8.1.1)
  /// is found by Netty's decoders before: other pseudo-headers, repeated ones or those after other
  /// fields, names in upper case, fields that are specific to a connection, pseudo-headers in
  /// trailers, and a content-length that does not match.
  static RequestHeaders read(Http2Headers headers, GrpcApplication application) {
    boolean isConnect = HttpMethod.CONNECT.asciiName().contentEquals(orEmpty(headers.method()));
    if (headers.method() == null
        || isConnect != (headers.scheme() == null)
        || isConnect != (headers.path() == null)) {
      return new Malformed("a request has one :method, one :scheme and one :path");
    }
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
