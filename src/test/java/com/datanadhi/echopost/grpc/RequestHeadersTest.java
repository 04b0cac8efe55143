package com.datanadhi.echopost.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadersTest {
  private static final String PATH = "/logagent.LogAgent/SendLog";

  private final UnaryApplication application = new UnaryApplication();

  private static Http2Headers headers(String method, String path, String contentType) {
    return new DefaultHttp2Headers()
        .method(method)
        .scheme("http")
        .path(path)
        .add("content-type", contentType);
  }

  private RequestHeaders read(Http2Headers headers) {
    return RequestHeaders.read(headers, application);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=utf-8",
        "Application/GRPC"
      })
  void a_call_of_a_known_method_is_accepted(String contentType) {
    assertThat(read(headers("POST", PATH, contentType)))
        .isInstanceOfSatisfying(
            RequestHeaders.Accepted.class,
            accepted ->
                assertThat(accepted.method())
                    .isSameAs(application.method("logagent.LogAgent/SendLog")));
  }

  @Test
  void metadata_has_all_fields_except_pseudo_headers() {
    Http2Headers headers = headers("POST", PATH, "application/grpc").add("idempotency-key", "k");
    assertThat(read(headers))
        .isInstanceOfSatisfying(
            RequestHeaders.Accepted.class,
            accepted -> {
              assertThat(accepted.headers()).isSameAs(headers);
              assertThat(accepted.metadata().keys())
                  .containsExactlyInAnyOrder("content-type", "idempotency-key");
              assertThat(
                      accepted
                          .metadata()
                          .get(
                              Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER)))
                  .isEqualTo("k");
            });
  }

  @Test
  void another_http_method_is_refused() {
    assertThat(read(headers("GET", PATH, "application/grpc")))
        .isEqualTo(
            new RequestHeaders.Refused(
                HttpResponseStatus.METHOD_NOT_ALLOWED, "the HTTP method of a gRPC call is POST"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json", "application/grpcjson", "application/grp", ""})
  void another_content_type_is_refused(String contentType) {
    assertThat(read(headers("POST", PATH, contentType)))
        .isEqualTo(
            new RequestHeaders.Refused(
                HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
                "the content-type of a gRPC call is application/grpc"));
  }

  @Test
  void headers_without_the_required_pseudo_headers_are_malformed() {
    assertThat(read(new DefaultHttp2Headers())).isInstanceOf(RequestHeaders.Malformed.class);
    for (String name : new String[] {":method", ":scheme", ":path"}) {
      Http2Headers headers = headers("POST", PATH, "application/grpc");
      headers.remove(name);
      assertThat(read(headers)).as("without %s", name).isInstanceOf(RequestHeaders.Malformed.class);
    }
  }

  /// RFC 9113, 8.5.
  @Test
  void connect_has_neither_scheme_nor_path() {
    Http2Headers connect = new DefaultHttp2Headers().method("CONNECT").authority("localhost");
    assertThat(read(connect)).isInstanceOf(RequestHeaders.Refused.class);
    assertThat(read(headers("CONNECT", PATH, "application/grpc")))
        .isInstanceOf(RequestHeaders.Malformed.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/logagent.LogAgent/Other", "logagent.LogAgent/SendLog", "/"})
  void an_unknown_method_is_refused_and_named(String path) {
    assertThat(read(headers("POST", path, "application/grpc")))
        .isEqualTo(
            new RequestHeaders.Refused(HttpResponseStatus.OK, "there is no method '" + path + "'"));
  }

  @Test
  void an_error_message_repeats_only_the_beginning_of_a_long_name() {
    assertThat(read(headers("POST", "/" + "x".repeat(1_000), "application/grpc")))
        .isEqualTo(
            new RequestHeaders.Refused(
                HttpResponseStatus.OK, "there is no method '/" + "x".repeat(99) + "…'"));
  }
}
