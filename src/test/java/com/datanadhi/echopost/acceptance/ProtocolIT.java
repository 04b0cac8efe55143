package com.datanadhi.echopost.acceptance;

import static com.datanadhi.echopost.testkit.FrameClient.ACK;
import static com.datanadhi.echopost.testkit.FrameClient.CONTINUATION;
import static com.datanadhi.echopost.testkit.FrameClient.DATA;
import static com.datanadhi.echopost.testkit.FrameClient.END_HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.END_STREAM;
import static com.datanadhi.echopost.testkit.FrameClient.GOAWAY;
import static com.datanadhi.echopost.testkit.FrameClient.HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.PADDED;
import static com.datanadhi.echopost.testkit.FrameClient.PING;
import static com.datanadhi.echopost.testkit.FrameClient.PRIORITY;
import static com.datanadhi.echopost.testkit.FrameClient.RST_STREAM;
import static com.datanadhi.echopost.testkit.FrameClient.SETTINGS;
import static com.datanadhi.echopost.testkit.FrameClient.WINDOW_UPDATE;
import static com.datanadhi.echopost.testkit.RawConnection.frame;
import static com.datanadhi.echopost.testkit.RawConnection.gzip;
import static com.datanadhi.echopost.testkit.RawConnection.header;
import static com.datanadhi.echopost.testkit.RawConnection.join;
import static com.datanadhi.echopost.testkit.RawConnection.preface;
import static com.datanadhi.echopost.testkit.RawConnection.prefixed;
import static com.datanadhi.echopost.testkit.RawConnection.sendLogHeaders;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.FrameClient;
import com.datanadhi.echopost.testkit.FrameClient.Answer;
import com.datanadhi.echopost.testkit.FrameClient.Frame;
import io.grpc.Status;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// gRPC over HTTP/2, frame by frame: what clients of other libraries may send that the client of
/// the other tests does not.
class ProtocolIT extends AcceptanceTest {
  private static final byte[] NOTHING = {};

  /// RFC 9113, 7.
  private static final int NO_ERROR = 0;

  private static final int PROTOCOL_ERROR = 1;
  private static final int FLOW_CONTROL_ERROR = 3;
  private static final int STREAM_CLOSED = 5;
  private static final int REFUSED_STREAM = 7;

  /// RFC 7541, appendix A.
  private static final int GET = 0x82;

  private static final int POST = 0x83;
  private static final byte HTTP = (byte) 0x86;

  /// RFC 9113, 6.5.2.
  private static final int HEADER_TABLE_SIZE = 1;

  private static final int INITIAL_WINDOW_SIZE = 4;

  private AgentProcess agent;
  private FrameClient client;

  @BeforeEach
  void connect() throws IOException {
    agent = agent();
    client = use(FrameClient.connect(agent.socket()));
  }

  private static byte[] request(String payload) {
    return LogRequest.newBuilder().setJsonData(payload).build().toByteArray();
  }

  private static byte[] record() {
    return prefixed(0, request("{\"n\":1}"));
  }

  private static byte[] headers(int stream, byte[]... more) {
    return frame(HEADERS, END_HEADERS, stream, join(sendLogHeaders(), join(more)));
  }

  private static byte[] head(int method, String path, String contentType) {
    return join(
        new byte[] {(byte) method, HTTP},
        header(":path", path),
        header("content-type", contentType));
  }

  /// The payload of SETTINGS with one parameter (RFC 9113, 6.5.1).
  private static byte[] setting(int which, int value) {
    return ByteBuffer.allocate(6).putShort((short) which).putInt(value).array();
  }

  /// Lets the agent send 100 bytes more, on a stream or, with 0, on the connection.
  private static byte[] window(int stream) {
    return frame(WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(100).array());
  }

  private static int code(Status.Code code) {
    return code.value();
  }

  private void assertStored(int stream) throws IOException {
    Answer answer = client.answer(stream);
    assertThat(answer.headers())
        .containsEntry(":status", "200")
        .containsEntry("content-type", "application/grpc")
        .containsEntry("grpc-status", "0");
    assertThat(answer.message())
        .isEqualTo(
            prefixed(
                0,
                LogResponse.newBuilder()
                    .setSuccess(true)
                    .setMessage("stored")
                    .build()
                    .toByteArray()));
  }

  private void assertServed(int stream) throws IOException {
    client.send(headers(stream), frame(DATA, END_STREAM, stream, record()));
    assertStored(stream);
  }

  // ---- calls that are accepted

  @Test
  void the_agent_sends_its_settings_first_and_answers_a_call() throws Exception {
    Frame settings = client.await(frame -> true);
    assertThat(settings.type()).isEqualTo(SETTINGS);
    byte[] parameters = settings.payload();
    assertThat(parameters).hasSize(18);
    ByteBuffer settingsRead = ByteBuffer.wrap(parameters);
    while (settingsRead.hasRemaining()) {
      int value =
          switch (settingsRead.getShort()) {
            case 3 -> 1_024; // SETTINGS_MAX_CONCURRENT_STREAMS
            case 4 -> 8 << 10; // SETTINGS_INITIAL_WINDOW_SIZE
            case 6 -> 8 << 10; // SETTINGS_MAX_HEADER_LIST_SIZE
            default -> -1;
          };
      assertThat(settingsRead.getInt()).isEqualTo(value);
    }
    assertServed(1);
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("1");
  }

  @Test
  void a_message_can_be_split_into_any_frames() throws Exception {
    client.send(headers(1));
    for (byte next : record()) {
      client.send(frame(DATA, 0, 1, new byte[] {next}));
    }
    client.send(frame(DATA, END_STREAM, 1, NOTHING));
    assertStored(1);

    byte[] padded = join(new byte[] {7}, record(), new byte[7]);
    client.send(headers(3), frame(DATA, END_STREAM | PADDED, 3, padded));
    assertStored(3);
  }

  @Test
  void headers_can_be_split_and_have_a_priority() throws Exception {
    byte[] block = sendLogHeaders();
    client.send(
        frame(PRIORITY, 0, 1, new byte[5]),
        frame(HEADERS, 0x20, 1, join(new byte[5], Arrays.copyOf(block, 20))),
        frame(CONTINUATION, END_HEADERS, 1, Arrays.copyOfRange(block, 20, block.length)),
        frame(DATA, END_STREAM, 1, record()));
    assertStored(1);
  }

  /// Each index means another field once a field has entered the table (RFC 7541, 2.3.3).
  @Test
  void repeated_header_bytes_are_decoded_with_the_current_table() throws Exception {
    byte[] repeated = {
      (byte) POST, HTTP, (byte) 0xC2, (byte) 0xC1, (byte) 0xC0, (byte) 0xBF, (byte) 0xBE
    };
    int stream = 1;
    for (String key : List.of("first", "second")) {
      client.send(
          headers(stream, header("idempotency-key", key)),
          frame(DATA, END_STREAM, stream, record()));
      assertStored(stream);
      for (int repeat = 0; repeat < 2; repeat++) {
        stream += 2;
        client.send(
            frame(HEADERS, END_HEADERS, stream, repeated),
            frame(DATA, END_STREAM, stream, record()));
        assertStored(stream);
      }
      stream += 2;
    }
    assertThat(query("SELECT group_concat(origin) FROM (SELECT origin FROM records ORDER BY id)"))
        .isEqualTo("first,first,first,second,second,second");
  }

  @Test
  void refused_headers_are_refused_again_and_others_are_accepted() throws Exception {
    client.send(call(1, "/logagent.LogAgent/Nothing"));
    assertThat(client.answer(1).status()).isEqualTo(code(Status.Code.UNIMPLEMENTED));
    byte[] repeated = {(byte) POST, HTTP, (byte) 0xBF, (byte) 0xBE};
    for (int stream = 3; stream <= 7; stream += 2) {
      client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, repeated));
      assertThat(client.answer(stream).status()).isEqualTo(code(Status.Code.UNIMPLEMENTED));
    }
    assertServed(9);
  }

  @Test
  void trailers_of_a_client_end_its_call() throws Exception {
    client.send(
        headers(1),
        frame(DATA, 0, 1, record()),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, header("some", "thing")));
    assertStored(1);
  }

  @Test
  void compressed_and_uncompressed_messages_are_accepted() throws Exception {
    byte[] encoding = header("grpc-encoding", "gzip");
    byte[] packed = prefixed(1, gzip(request("{\"n\":1}")));
    client.send(headers(1, encoding), frame(DATA, END_STREAM, 1, packed));
    assertStored(1);
    client.send(headers(3, encoding), frame(DATA, END_STREAM, 3, record()));
    assertStored(3);
    client.send(
        headers(5, header("grpc-encoding", "identity")), frame(DATA, END_STREAM, 5, record()));
    assertStored(5);
  }

  @Test
  void a_large_message_is_received_as_its_window_is_refilled() throws Exception {
    byte[] message = prefixed(0, request("\"" + "x".repeat(100_000) + "\""));
    client.send(headers(1));
    client.sendBounded(1, message, END_STREAM, message.length);
    assertStored(1);
  }

  @Test
  void unknown_frames_are_ignored_and_a_ping_is_acknowledged() throws Exception {
    byte[] eight = {1, 2, 3, 4, 5, 6, 7, 8};
    client.send(frame(0x42, 0x55, 0, eight), frame(PING, 0, 0, eight));
    Frame pong = client.await(PING);
    assertThat(pong.flags()).isEqualTo(ACK);
    assertThat(pong.payload()).isEqualTo(eight);
    assertServed(1);
  }

  @Test
  void a_response_waits_for_the_window_of_its_stream() throws Exception {
    byte[] noWindow = setting(INITIAL_WINDOW_SIZE, 0);
    client = use(FrameClient.connect(agent.socket(), noWindow));
    assertWaitsForWindow(1);

    client.send(window(1));

    assertThat(client.answer(1).status()).isZero();
  }

  @Test
  void responses_wait_for_the_window_of_the_connection() throws Exception {
    // A response is 15 bytes long, the default window (RFC 9113, 6.9.2) 4,369 times that.
    int stream = 1;
    for (; stream < 2 * 4_369; stream += 2) {
      assertServed(stream);
    }
    assertWaitsForWindow(stream);

    client.send(window(0));

    assertThat(client.answer(stream).status()).isZero();
    assertServed(stream + 2);
  }

  /// Sends a record, of whose response only the headers come.
  private void assertWaitsForWindow(int stream) throws IOException {
    client.send(headers(stream), frame(DATA, END_STREAM, stream, record()));
    Frame first = client.await(frame -> frame.stream() == stream);
    assertThat(first.type()).isEqualTo(HEADERS);
    assertThat(first.flags() & END_STREAM).isZero();
    client.send(frame(PING, 0, 0, new byte[8]));
    Frame next = client.await(frame -> frame.stream() == stream || frame.type() == PING);
    assertThat(next.type()).isEqualTo(PING);
  }

  @Test
  void a_smaller_header_table_is_acknowledged_in_the_next_response() throws Exception {
    assertServed(1);

    client.send(frame(SETTINGS, 0, 0, setting(HEADER_TABLE_SIZE, 0)));

    client.send(headers(3), frame(DATA, END_STREAM, 3, record()));
    Frame first = client.await(frame -> frame.stream() == 3 && frame.type() == HEADERS);
    // "Dynamic Table Size Update", to 0 (RFC 7541, 6.3)
    assertThat(first.payload()[0]).isEqualTo((byte) 0x20);
    assertThat(client.answer(3).status()).isZero();
    assertServed(5);
  }

  // ---- calls that are refused

  @ParameterizedTest
  @CsvSource({
    "'', 1, INVALID_ARGUMENT, the call carried no LogRequest",
    "0000, 1, INTERNAL, the call ended inside a message",
    "0000000009010203, 1, INTERNAL, the call ended inside a message",
    "020000000101, 0, INTERNAL, the prefix of a message has reserved bits set",
    "010000000101, 0, INTERNAL, 'a message is compressed, but the call has no grpc-encoding"
        + " header'",
    "0000500000, 0, RESOURCE_EXHAUSTED, the message is 5242880 bytes long",
    "00FFFFFFFF, 0, RESOURCE_EXHAUSTED, the message is 4294967295 bytes long",
    "00000000000000, 1, INTERNAL, the call ended inside a message",
    "00000000000000000000, 0, INVALID_ARGUMENT, a SendLog call carries one LogRequest",
    "00000000010000000000010000, 1, INVALID_ARGUMENT, a SendLog call carries one LogRequest",
  })
  void a_malformed_call_is_refused_with_the_reason(
      String data, int endStream, Status.Code status, String why) throws Exception {
    byte[] bytes = HexFormat.of().parseHex(data);
    client.send(headers(1), frame(DATA, endStream, 1, bytes));
    Answer answer = client.answer(1);
    assertThat(answer.status()).isEqualTo(code(status));
    assertThat(answer.why()).startsWith(why);
    assertThat(answer.headers()).containsEntry(":status", "200");
    if (endStream == 0) {
      // The rest of the request is not wanted (RFC 9113, 8.1).
      assertThat(client.answer(1).reset()).isEqualTo(NO_ERROR);
    }
    assertServed(3);
  }

  @Test
  void a_call_without_any_data_is_refused() throws Exception {
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, sendLogHeaders()));
    Answer answer = client.answer(1);
    assertThat(answer.status()).isEqualTo(code(Status.Code.INVALID_ARGUMENT));
    assertServed(3);
  }

  @Test
  void messages_that_cannot_be_decompressed_are_refused_and_counted() throws Exception {
    byte[] encoding = header("grpc-encoding", "gzip");
    client.send(
        headers(1, encoding), frame(DATA, END_STREAM, 1, prefixed(1, new byte[] {1, 2, 3, 4})));
    Answer garbage = client.answer(1);
    assertThat(garbage.status()).isEqualTo(code(Status.Code.INVALID_ARGUMENT));
    assertThat(garbage.why()).startsWith("the message cannot be decompressed");

    byte[] half = gzip(request("{\"n\":1}"));
    client.send(
        headers(3, encoding),
        frame(DATA, END_STREAM, 3, prefixed(1, Arrays.copyOf(half, half.length - 9))));
    assertThat(client.answer(3).status()).isEqualTo(code(Status.Code.INVALID_ARGUMENT));

    byte[] bomb = gzip(new byte[5 << 20]);
    client.send(headers(5, encoding), frame(DATA, END_STREAM, 5, prefixed(1, bomb)));
    assertThat(client.answer(5).status()).isEqualTo(code(Status.Code.RESOURCE_EXHAUSTED));

    client.send(headers(7, header("grpc-encoding", "br")), frame(DATA, END_STREAM, 7, record()));
    Answer unknown = client.answer(7);
    assertThat(unknown.status()).isEqualTo(code(Status.Code.UNIMPLEMENTED));
    assertThat(unknown.headers()).containsEntry("grpc-accept-encoding", "gzip");

    assertServed(9);
    assertThat(runCommand("metrics").out())
        .contains("reason=\"invalid\"} 2")
        .contains("reason=\"too_large\"} 1");
  }

  @Test
  void requests_that_are_no_call_of_a_known_method_are_refused() throws Exception {
    byte[] unknown = head(POST, "/logagent.LogAgent/Send%Log", "application/grpc+proto");
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, unknown));
    Answer unimplemented = client.answer(1);
    assertThat(unimplemented.status()).isEqualTo(code(Status.Code.UNIMPLEMENTED));
    // gRPC percent-encodes the message, so a percent sign too.
    assertThat(unimplemented.why()).isEqualTo("there is no method '/logagent.LogAgent/Send%25Log'");

    byte[] get = head(GET, "/logagent.LogAgent/SendLog", "application/grpc");
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, get));
    assertThat(client.answer(3).headers()).containsEntry(":status", "405");

    byte[] text = head(POST, "/logagent.LogAgent/SendLog", "application/grpcjson");
    client.send(frame(HEADERS, END_HEADERS, 5, text), frame(DATA, END_STREAM, 5, record()));
    assertThat(client.answer(5).headers()).containsEntry(":status", "415");

    byte[] bare = join(new byte[] {(byte) POST, HTTP}, header(":path", "/"));
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 7, bare));
    Answer reason = client.answer(7);
    assertThat(reason.headers()).containsEntry(":status", "415");
    assertThat(new String(reason.message(), StandardCharsets.UTF_8))
        .isEqualTo("the content-type of a gRPC call is application/grpc\n");

    byte[] field = header("a", "x".repeat(120));
    byte[][] many = new byte[58][];
    Arrays.fill(many, field);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 9, join(sendLogHeaders(), join(many))));
    assertThat(client.answer(9).headers()).containsEntry(":status", "431");
    assertServed(11);
  }

  /// RFC 9113, 8.1.1, 8.2 and 8.3: a malformed request is a stream error, and other calls are
  /// served.
  @Test
  void malformed_requests_are_reset() throws Exception {
    byte[] post = {(byte) POST};
    byte[] http = {HTTP};
    byte[] path = header(":path", "/logagent.LogAgent/SendLog");
    byte[] type = header("content-type", "application/grpc");
    byte[] good = join(post, http, path, type);
    List<byte[]> malformed =
        List.of(
            join(http, path, type),
            join(post, path, type),
            join(post, http, type),
            join(post, http, header(":path", ""), type),
            join(post, post, http, path, type),
            join(post, http, http, path, type),
            join(post, http, path, path, type),
            join(post, http, type, path),
            join(good, header(":authority", "late")),
            join(post, http, path, header(":unknown", "x"), type),
            join(post, http, path, header(":status", "200"), type),
            join(good, header("Upper", "x")),
            join(good, header("connection", "keep-alive")),
            join(good, header("keep-alive", "x")),
            join(good, header("proxy-connection", "x")),
            join(good, header("transfer-encoding", "chunked")),
            join(good, header("upgrade", "h2c")),
            join(good, header("te", "gzip")),
            join(good, header("content-length", "1"), header("content-length", "2")),
            join(good, header("content-length", "x")));
    int stream = 1;
    for (byte[] block : malformed) {
      client.send(frame(HEADERS, END_HEADERS, stream, block));
      assertThat(client.answer(stream).reset())
          .as("%s", new String(block, StandardCharsets.ISO_8859_1))
          .isEqualTo(PROTOCOL_ERROR);
      assertServed(stream + 2);
      stream += 4;
    }
    for (int length : new int[] {record().length - 1, record().length + 1}) {
      byte[] declared = header("content-length", Integer.toString(length));
      client.send(headers(stream, declared), frame(DATA, END_STREAM, stream, record()));
      assertThat(client.answer(stream).reset()).isEqualTo(PROTOCOL_ERROR);
      assertServed(stream + 2);
      stream += 4;
    }
    assertThat(query("SELECT count(*) FROM records"))
        .isEqualTo(Integer.toString(malformed.size() + 2));
  }

  @Test
  void a_second_request_on_a_stream_ends_the_connection() throws Exception {
    client.send(headers(1), frame(DATA, 0, 1, record()));
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, new byte[] {(byte) POST}));
    assertThat(client.await(GOAWAY).number(4)).isEqualTo(PROTOCOL_ERROR);
    assertThat(client.isClosedByTheAgent()).isTrue();
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("0");
  }

  @Test
  void the_bound_of_a_connection_applies_before_its_settings_are_acknowledged() throws Exception {
    FrameClient early = use(new FrameClient(agent.socket()));
    early.send(preface());
    for (int n = 0; n <= 1_024; n++) {
      early.send(headers(1 + 2 * n));
    }
    assertThat(early.answer(2_049).reset()).isEqualTo(REFUSED_STREAM);
  }

  @Test
  void a_call_that_is_reset_before_its_end_leaves_nothing_behind() throws Exception {
    byte[] record = record();
    client.send(
        headers(1),
        frame(DATA, 0, 1, Arrays.copyOf(record, record.length - 1)),
        headers(3),
        frame(DATA, END_STREAM, 3, record));
    client.send(frame(RST_STREAM, 0, 1, ByteBuffer.allocate(4).putInt(8).array()));
    assertStored(3);
    for (int stream = 5; stream < 1_005; stream += 2) {
      client.send(headers(stream), frame(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8}));
    }
    assertServed(1_005);
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("2");
  }

  @Test
  void a_call_beyond_the_bound_of_a_connection_is_refused_as_retryable() throws Exception {
    for (int n = 0; n <= 1_024; n++) {
      client.send(headers(1 + 2 * n));
    }
    assertThat(client.answer(2_049).reset()).isEqualTo(REFUSED_STREAM);
    client.send(frame(DATA, END_STREAM, 1, record()));
    assertStored(1);
  }

  @Test
  void a_call_that_exceeds_its_window_is_reset() throws Exception {
    // Behind a call that is not complete, so that its message is not requested.
    client.send(headers(1), headers(3), frame(DATA, 0, 3, new byte[8 << 10]));
    client.send(frame(DATA, 0, 3, new byte[1]));
    assertThat(client.answer(3).reset()).isEqualTo(FLOW_CONTROL_ERROR);
    client.send(frame(DATA, END_STREAM, 1, record()));
    assertStored(1);
  }

  @Test
  void data_after_the_end_of_a_call_is_refused() throws Exception {
    assertServed(1);
    client.send(frame(DATA, END_STREAM, 1, record()));
    assertThat(client.await(RST_STREAM).number(0)).isEqualTo(STREAM_CLOSED);
    assertServed(3);
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("2");
  }

  // ---- connections

  @Test
  void a_client_that_is_not_http2_gets_an_error_and_is_closed() throws Exception {
    FrameClient other = use(new FrameClient(agent.socket()));
    other.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    Frame goAway = other.await(GOAWAY);
    assertThat(goAway.number(4)).isEqualTo(PROTOCOL_ERROR);
    assertThat(other.isClosedByTheAgent()).isTrue();

    client.send(frame(DATA, 0, 77, record()));
    assertThat(client.await(GOAWAY).number(4)).isEqualTo(PROTOCOL_ERROR);
    assertThat(client.isClosedByTheAgent()).isTrue();
    client = use(FrameClient.connect(agent.socket()));
    assertServed(1);
  }

  @Test
  void a_leaving_agent_sends_goaway_twice_and_answers_calls_begun_in_between() throws Exception {
    // Its connection does not keep the agent running.
    client.await(SETTINGS);
    server.comeUp();
    Frame first = client.await(GOAWAY);
    assertThat(first.number(0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(first.number(4)).isEqualTo(NO_ERROR);
    Frame ping = client.await(PING);
    // As far as the agent knows, the client has not read the GOAWAY yet.
    client.send(headers(1), frame(DATA, END_STREAM, 1, record()));
    assertStored(1);
    client.send(frame(PING, ACK, 0, ping.payload()));
    Frame second = client.await(GOAWAY);
    assertThat(second.number(0)).isEqualTo(1);
    assertThat(client.isClosedByTheAgent()).isTrue();
    awaitDelivered(1);
    assertThat(agent.awaitExit(SOON)).isZero();
  }

  @Test
  void a_stopped_agent_does_not_wait_for_silent_clients() throws Exception {
    client.await(SETTINGS);
    agent.terminate();
    assertThat(client.await(GOAWAY).number(4)).isEqualTo(NO_ERROR);
    assertThat(client.isClosedByTheAgent()).isTrue();
    await().atMost(5, TimeUnit.SECONDS).until(() -> !agent.isAlive());
  }

  // ---- hostile clients

  private static byte[] call(int stream, String path, byte[]... more) {
    byte[] head = head(POST, path, "application/grpc");
    return frame(HEADERS, END_HEADERS, stream, join(head, join(more)));
  }

  @Test
  void a_client_that_does_not_read_responses_is_not_read() throws Exception {
    FrameClient silent = use(FrameClient.connect(agent.socket()));
    byte[] pings =
        join(Collections.nCopies(1_000, frame(PING, 0, 0, new byte[8])).toArray(byte[][]::new));
    byte[] priorities =
        join(Collections.nCopies(1_000, frame(PRIORITY, 0, 1, new byte[5])).toArray(byte[][]::new));
    int _ = silent.offerUntilNotRead(pings, 100);
    assertThat(silent.offerUntilNotRead(priorities, 1_000)).isLessThan(1_000);
    assertServed(1);
  }

  @Test
  void many_clients_that_read_no_responses_do_not_exhaust_memory() throws Exception {
    byte[][] refused = new byte[1_000][];
    for (int n = 0; n < refused.length; n++) {
      refused[n] = headers(1 + 2 * n, header("idempotency-key", "a key"));
    }
    byte[] all = join(refused);
    for (int n = 0; n < 300; n++) {
      FrameClient silent = use(FrameClient.connect(agent.socket()));
      boolean _ = silent.offer(all);
    }
    // A client that reads is served, on a new connection: the first may have been closed as idle.
    client = use(FrameClient.connect(agent.socket()));
    assertServed(1);
    assertThat(agent.logged(EventNames.AGENT_STARTED)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"SETTINGS", "PING", "RST_STREAM"})
  void floods_of_control_frames_do_not_exhaust_memory(String what) throws Exception {
    List<byte[]> floods = new ArrayList<>();
    for (int stream = 1; floods.size() < 7_000; stream += 2) {
      floods.add(
          switch (what) {
            case "SETTINGS" -> frame(SETTINGS, 0, 0, NOTHING);
            case "PING" -> frame(PING, 0, 0, new byte[8]);
            // Malformed: names must be in lower case (RFC 9113, 8.2.1).
            default -> frame(HEADERS, END_HEADERS, stream, header("A", "b"));
          });
    }
    byte[] all = join(floods.toArray(byte[][]::new));
    for (int n = 0; n < 80; n++) {
      FrameClient silent = use(FrameClient.connect(agent.socket()));
      int _ = silent.offerUntilNotRead(all, 100);
    }
    client = use(FrameClient.connect(agent.socket()));
    assertServed(1);
    assertThat(agent.logged(EventNames.AGENT_STARTED)).isEqualTo(1);
    assertThat(agent.hasLogged(EventNames.CALL_FAILED)).isFalse();
  }

  private double heapUsed() throws Exception {
    return Objects.requireNonNull(
        MetricsIT.samples(runCommand("metrics").out()).get("echopost_jvm_heap_used_bytes"));
  }

  @Test
  void headers_that_are_not_cached_are_not_kept_for_idle_connections() throws Exception {
    List<byte[]> fields = new ArrayList<>();
    for (int n = 0; n < 200; n++) {
      // Literals that enter no table (RFC 7541, 6.2.2).
      fields.add(new byte[] {0, 1, (byte) ('a' + n % 26), 1, (byte) ('a' + n / 26)});
    }
    byte[] many = join(fields.toArray(byte[][]::new));
    double before = heapUsed();
    for (int n = 0; n < 400; n++) {
      client = use(FrameClient.connect(agent.socket()));
      client.send(headers(1, many), frame(DATA, END_STREAM, 1, record()));
      assertStored(1);
    }
    assertThat(heapUsed() - before).isLessThan(12 << 20);
  }

  @Test
  void trailers_of_a_refused_call_are_ignored() throws Exception {
    client.send(
        headers(1),
        join(
            call(3, "/no.Such/Method"),
            frame(HEADERS, END_HEADERS | END_STREAM, 3, header("some", "thing"))),
        frame(DATA, END_STREAM, 1, record()));
    assertThat(client.answer(3).status()).isEqualTo(code(Status.Code.UNIMPLEMENTED));
    assertStored(1);
    assertThat(agent.hasLogged(EventNames.CALL_FAILED)).isFalse();
  }

  @Test
  void bytes_sent_before_the_settings_are_acknowledged_are_bounded() throws Exception {
    byte[] part = new byte[15_000];
    for (int connection = 0; connection < 8; connection++) {
      FrameClient greedy = use(new FrameClient(agent.socket()));
      // It does not acknowledge the settings: until then, windows have the default size.
      greedy.offer(preface(), headers(1));
      boolean taken = true;
      for (int stream = 3; taken && stream < 1_000; stream += 2) {
        taken = greedy.offer(headers(stream), frame(DATA, 0, stream, part));
        for (int n = 0; taken && n < 3; n++) {
          taken = greedy.offer(frame(DATA, 0, stream, part));
        }
      }
    }
    assertServed(1);
    assertThat(agent.hasLogged(EventNames.CALL_FAILED)).isFalse();
    assertThat(agent.isAlive()).isTrue();
  }

  @Test
  void twenty_of_the_largest_records_can_be_incomplete_at_once() throws Exception {
    byte[] message = prefixed(0, request("\"" + "x".repeat((4 << 20) - 2) + "\""));
    List<FrameClient> clients = new ArrayList<>();
    for (int n = 0; n < 20; n++) {
      FrameClient each = use(FrameClient.connect(agent.socket()));
      each.send(headers(1));
      each.sendBounded(1, message, 0, message.length - 1);
      clients.add(each);
    }
    for (FrameClient each : clients) {
      each.send(frame(DATA, END_STREAM, 1, new byte[] {message[message.length - 1]}));
      assertThat(each.answer(1).status()).isZero();
    }
  }

  @Test
  void text_repeated_to_a_client_does_not_enter_the_header_table() throws Exception {
    byte[] hugeTable = setting(HEADER_TABLE_SIZE, 1 << 30);
    client = use(FrameClient.connect(agent.socket(), hugeTable));
    for (int n = 0; n < 8_000; n++) {
      int stream = 1 + 2 * n;
      client.send(call(stream, "/" + "%d-%%".formatted(n) + "y".repeat(110)));
      assertThat(client.answer(stream).status()).isEqualTo(code(Status.Code.UNIMPLEMENTED));
    }
    assertServed(16_001);
  }

  @Test
  void an_invalid_idempotency_key_is_refused_before_its_record_arrives() throws Exception {
    client.send(headers(1, header("idempotency-key", "a key")));
    assertThat(client.answer(1).status()).isEqualTo(code(Status.Code.INVALID_ARGUMENT));
    assertThat(client.answer(1).reset()).isEqualTo(NO_ERROR);
    assertServed(3);
  }

  @Test
  void unfinished_health_checks_are_bounded() throws Exception {
    String check = "/grpc.health.v1.Health/Check";
    client.send(call(1, check), frame(DATA, 0, 1, new byte[] {0, 0, 16, 0, 0}));
    Answer large = client.answer(1);
    assertThat(large.status()).isEqualTo(code(Status.Code.RESOURCE_EXHAUSTED));
    FrameClient other = use(FrameClient.connect(agent.socket()));
    for (int n = 0; n < 1_000; n++) {
      client.send(call(3 + 2 * n, check));
      other.send(call(1 + 2 * n, check));
    }
    assertThat(other.answer(1_999).status()).isEqualTo(code(Status.Code.RESOURCE_EXHAUSTED));
    assertServed(2_003);
    client.close();
    // There is room again.
    await()
        .atMost(SOON)
        .until(() -> {
          try (FrameClient next = FrameClient.connect(agent.socket())) {
            next.send(call(1, check), frame(DATA, END_STREAM, 1, prefixed(0, NOTHING)));
            return next.answer(1).status() == 0;
          }
        });
  }
}
