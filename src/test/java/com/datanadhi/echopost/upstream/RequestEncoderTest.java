package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import org.junit.jupiter.api.Test;

class RequestEncoderTest {
  private static final byte[] NONE = {};

  private final RequestEncoder requests =
      new RequestEncoder("/bäse", "/bäse/log", "host: h:5000\r\n", "the agent's".getBytes(UTF_8));

  private static String text(ByteBuf request) {
    try {
      return request.toString(UTF_8);
    } finally {
      boolean _ = request.release();
    }
  }

  private static DeliveryRequest delivery(byte[] apiKey, String idempotencyKey) {
    return new DeliveryRequest(
        "[\"p\"]".getBytes(UTF_8), "\"ü\\u0000\"".getBytes(UTF_8), apiKey, idempotencyKey);
  }

  @Test
  void a_delivery_has_the_records_api_key_and_its_length_in_bytes() {
    String body = "{\"pipelines\":[\"p\"],\"log_data\":\"ü\\u0000\"}";

    assertThat(text(requests.delivery(delivery("clé".getBytes(UTF_8), "a-1"))))
        .isEqualTo(
            "POST /bäse/log HTTP/1.1\r\n"
                + "host: h:5000\r\n"
                + "content-type: application/json\r\n"
                + "DATANADHI-API-KEY: clé\r\n"
                + "Idempotency-Key: \"a-1\"\r\n"
                + "content-length: "
                + body.getBytes(UTF_8).length
                + "\r\n\r\n"
                + body);
  }

  @Test
  void a_record_without_an_api_key_gets_the_agents() {
    assertThat(text(requests.delivery(delivery(NONE, "a-1"))))
        .contains("\r\nDATANADHI-API-KEY: the agent's\r\n");
  }

  /// RFC 8941, section 3.3.3.
  @Test
  void an_idempotency_key_is_a_structured_fields_string() {
    assertThat(text(requests.delivery(delivery(NONE, "a\"b\\c"))))
        .contains("\r\nIdempotency-Key: \"a\\\"b\\\\c\"\r\n");
  }

  @Test
  void a_probe_asks_the_server_to_close_the_connection_unless_it_is_kept() {
    assertThat(text(requests.probe(false))).isEqualTo("GET /bäse HTTP/1.1\r\nhost: h:5000\r\n\r\n");
    assertThat(text(requests.probe(true)))
        .isEqualTo("GET /bäse HTTP/1.1\r\nhost: h:5000\r\nconnection: close\r\n\r\n");
  }
}
