package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;

/// Encodes the requests to the main server (RFC 9112); [BatchBody] does the lines of a batch.
///
/// The parts that are equal in all requests are encoded once. Netty's encoder builds all headers
/// for each record, and replay took 1.3 times as long with it (docs/adr/0004). Nothing is validated
/// here: a record's fields were when it was accepted. Immutable.
final class RequestEncoder {
  private static final byte[] BODY_START = "{\"pipelines\":".getBytes(US_ASCII);
  private static final byte[] BODY_MIDDLE = ",\"log_data\":".getBytes(US_ASCII);
  private static final byte[] BODY_END = "}".getBytes(US_ASCII);
  private static final byte[] API_KEY = "DATANADHI-API-KEY: ".getBytes(US_ASCII);
  private static final byte[] IDEMPOTENCY_KEY = "\r\nIdempotency-Key: \"".getBytes(US_ASCII);
  private static final byte[] QUOTE = "\"".getBytes(US_ASCII);
  private static final byte[] CONTENT_LENGTH = "\r\ncontent-length: ".getBytes(US_ASCII);
  private static final byte[] END = "\r\n\r\n".getBytes(US_ASCII);
  private static final byte[] GZIP = "content-encoding: gzip\r\n".getBytes(US_ASCII);
  private static final byte[] EMPTY = {};
  private static final int LONGEST_LENGTH = 10;
  private static final int HEAD_REST = 128;

  private final byte[] probe;
  private final byte[] lastProbe;
  private final byte[] delivery;
  private final byte[] batch;
  private final byte[] defaultApiKey;

  /// @param probeTarget the request target of probes
  /// @param deliveryTarget that of deliveries
  /// @param headers header lines of all requests, each with its CRLF
  /// @param defaultApiKey for records without an API key
  RequestEncoder(String probeTarget, String deliveryTarget, String headers, byte[] defaultApiKey) {
    String get = "GET " + probeTarget + " HTTP/1.1\r\n" + headers;
    this.probe = (get + "\r\n").getBytes(UTF_8);
    this.lastProbe = (get + "connection: close\r\n\r\n").getBytes(UTF_8);
    String post = "POST " + deliveryTarget + " HTTP/1.1\r\n" + headers;
    this.delivery = (post + "content-type: application/json\r\n").getBytes(UTF_8);
    this.batch = (post + "content-type: application/x-ndjson\r\n").getBytes(UTF_8);
    this.defaultApiKey = defaultApiKey;
  }

  /// A probe.
  ///
  /// @param last whether it asks the server to close the connection after its response
  ByteBuf probe(boolean last) {
    return Unpooled.wrappedBuffer(last ? lastProbe : probe);
  }

  /// A delivery of one record. The caller releases it.
  ByteBuf delivery(DeliveryRequest record) {
    byte[] apiKey = record.apiKey().length > 0 ? record.apiKey() : defaultApiKey;
    String key = quoted(record.idempotencyKey());
    int body =
        BODY_START.length
            + record.pipelines().length
            + BODY_MIDDLE.length
            + record.jsonData().length
            + BODY_END.length;
    int head =
        delivery.length
            + API_KEY.length
            + apiKey.length
            + IDEMPOTENCY_KEY.length
            + key.length()
            + QUOTE.length
            + CONTENT_LENGTH.length
            + LONGEST_LENGTH
            + END.length;
    ByteBuf request = ByteBufAllocator.DEFAULT.directBuffer(head + body);
    request.writeBytes(delivery).writeBytes(API_KEY).writeBytes(apiKey).writeBytes(IDEMPOTENCY_KEY);
    ByteBufUtil.writeAscii(request, key);
    request.writeBytes(QUOTE).writeBytes(CONTENT_LENGTH);
    ByteBufUtil.writeAscii(request, Integer.toString(body));
    return request
        .writeBytes(END)
        .writeBytes(BODY_START)
        .writeBytes(record.pipelines())
        .writeBytes(BODY_MIDDLE)
        .writeBytes(record.jsonData())
        .writeBytes(BODY_END);
  }

  /// A delivery of a batch, a record a line. The caller releases it.
  ///
  /// @param records at least one, all with the same API key; the line ends in none
  /// @param gzip whether to pack the body
  ByteBuf batch(List<DeliveryRequest> records, boolean gzip) {
    byte[] own = records.getFirst().apiKey();
    byte[] apiKey = own.length > 0 ? own : defaultApiKey;
    ByteBuf body = BatchBody.of(records, gzip);
    ByteBuf head = ByteBufAllocator.DEFAULT.directBuffer(batch.length + apiKey.length + HEAD_REST);
    head.writeBytes(batch).writeBytes(gzip ? GZIP : EMPTY).writeBytes(API_KEY).writeBytes(apiKey);
    head.writeBytes(CONTENT_LENGTH);
    ByteBufUtil.writeAscii(head, Integer.toString(body.readableBytes()));
    return Unpooled.wrappedBuffer(head.writeBytes(END), body);
  }

  /// The content of a Structured Field string (RFC 8941, section 3.3.3), and of a JSON string.
  static String quoted(String key) {
    return key.indexOf('\\') < 0 && key.indexOf('"') < 0
        ? key
        : key.replace("\\", "\\\\").replace("\"", "\\\"");
  }

  /// The most characters that [#quoted] can have.
  static int longestQuoted(String key) {
    return 2 * key.length();
  }
}
