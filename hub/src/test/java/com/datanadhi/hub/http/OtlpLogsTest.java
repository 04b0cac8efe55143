package com.datanadhi.hub.http;

import static com.datanadhi.hub.http.Requests.bare;
import static com.datanadhi.hub.http.Requests.gzip;
import static com.datanadhi.hub.http.Requests.post;
import static com.datanadhi.hub.http.Requests.utf8;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.view.StoredEvent;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.rpc.Status;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.ArrayValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.common.v1.KeyValueList;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.logs.v1.SeverityNumber;
import io.opentelemetry.proto.resource.v1.Resource;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OtlpLogsTest {
  private static final String PATH = "/v1/logs";
  private static final String JSON = "application/json";
  private static final String PROTOBUF = "application/x-protobuf";
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private TestHub hub;

  @BeforeEach
  void start() throws Exception {
    hub = new TestHub(DoorSettings.standard(1_000));
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
    assertThat(hub.leased.get()).as("bytes still admitted").isZero();
  }

  private static HttpResponse<byte[]> send(HttpRequest request) throws Exception {
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofByteArray());
  }

  private HttpResponse<byte[]> json(String body, String... headers) throws Exception {
    return send(post(hub, PATH, JSON, body, headers));
  }

  private HttpResponse<byte[]> protobuf(ExportLogsServiceRequest body, String... headers)
      throws Exception {
    return send(post(hub, PATH, PROTOBUF, body.toByteArray(), headers));
  }

  private static String text(HttpResponse<byte[]> answer) {
    return new String(answer.body(), UTF_8);
  }

  private String logData(int index) {
    return new String(hub.events.get(index).logData(), UTF_8);
  }

  private List<String> pipelines() {
    return hub.events.stream().map(StoredEvent::pipelines).toList();
  }

  /// A request with these members of its only resource, and these log records.
  private static String request(String resource, String... records) {
    return "{\"resourceLogs\":[{%s\"scopeLogs\":[{\"logRecords\":[%s]}]}]}"
        .formatted(resource, String.join(",", records));
  }

  private static AnyValue string(String text) {
    return AnyValue.newBuilder().setStringValue(text).build();
  }

  private static KeyValue attribute(String key, AnyValue value) {
    return KeyValue.newBuilder().setKey(key).setValue(value).build();
  }

  private static ExportLogsServiceRequest request(Resource resource, LogRecord... records) {
    return ExportLogsServiceRequest.newBuilder()
        .addResourceLogs(
            ResourceLogs.newBuilder()
                .setResource(resource)
                .addScopeLogs(ScopeLogs.newBuilder().addAllLogRecords(List.of(records))))
        .build();
  }

  private static LogRecord record(String body) {
    return LogRecord.newBuilder().setBody(string(body)).build();
  }

  private static Resource pipelines(AnyValue value) {
    return Resource.newBuilder().addAttributes(attribute("datanadhi.pipelines", value)).build();
  }

  @Test
  void a_log_record_in_protobuf_is_stored_as_otlp_json_with_nothing_left_out() throws Exception {
    AnyValue nested =
        AnyValue.newBuilder()
            .setKvlistValue(
                KeyValueList.newBuilder()
                    .addValues(attribute("zero", AnyValue.newBuilder().setIntValue(0).build()))
                    .addValues(
                        attribute("nan", AnyValue.newBuilder().setDoubleValue(Double.NaN).build()))
                    .addValues(attribute("no", AnyValue.newBuilder().setBoolValue(false).build()))
                    .addValues(
                        attribute(
                            "bytes",
                            AnyValue.newBuilder()
                                .setBytesValue(ByteString.copyFrom(new byte[] {-1, 0}))
                                .build()))
                    .addValues(
                        attribute(
                            "list",
                            AnyValue.newBuilder()
                                .setArrayValue(
                                    ArrayValue.newBuilder()
                                        .addValues(string("a\n\u0000\"é"))
                                        .addValues(AnyValue.newBuilder().setDoubleValue(1e300))
                                        .addValues(AnyValue.getDefaultInstance()))
                                .build())))
            .build();
    LogRecord record =
        LogRecord.newBuilder()
            .setTimeUnixNano(-1)
            .setObservedTimeUnixNano(1_700_000_000_000_000_001L)
            .setSeverityNumber(SeverityNumber.SEVERITY_NUMBER_WARN)
            .setSeverityText("WARN")
            .setBody(nested)
            .addAttributes(
                attribute("min", AnyValue.newBuilder().setIntValue(Long.MIN_VALUE).build()))
            .setDroppedAttributesCount(-1)
            .setFlags(1)
            .setTraceId(ByteString.fromHex("0123456789abcdef0123456789abcdef"))
            .setSpanId(ByteString.fromHex("0123456789abcdef"))
            .setEventName("event")
            .build();
    ExportLogsServiceRequest request =
        ExportLogsServiceRequest.newBuilder()
            .addResourceLogs(
                ResourceLogs.newBuilder()
                    .setResource(
                        Resource.newBuilder().addAttributes(attribute("host", string("h-1"))))
                    .setSchemaUrl("r")
                    .addScopeLogs(
                        ScopeLogs.newBuilder()
                            .setScope(InstrumentationScope.newBuilder().setName("s"))
                            .setSchemaUrl("u")
                            .addLogRecords(record)))
            .build();

    var answer = protobuf(request);

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(PROTOBUF);
    assertThat(ExportLogsServiceResponse.parseFrom(answer.body()).hasPartialSuccess()).isFalse();
    assertThat(pipelines()).containsExactly("[\"otlp\"]");
    assertThat(logData(0))
        .isEqualTo(
            "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host\",\"value\":"
                + "{\"stringValue\":\"h-1\"}}]},\"schemaUrl\":\"r\",\"scopeLogs\":[{\"scope\":"
                + "{\"name\":\"s\"},\"schemaUrl\":\"u\",\"logRecords\":[{"
                + "\"timeUnixNano\":\"18446744073709551615\",\"severityNumber\":13,"
                + "\"severityText\":\"WARN\",\"body\":{\"kvlistValue\":{\"values\":["
                + "{\"key\":\"zero\",\"value\":{\"intValue\":\"0\"}},"
                + "{\"key\":\"nan\",\"value\":{\"doubleValue\":\"NaN\"}},"
                + "{\"key\":\"no\",\"value\":{\"boolValue\":false}},"
                + "{\"key\":\"bytes\",\"value\":{\"bytesValue\":\"/wA=\"}},"
                + "{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":["
                + "{\"stringValue\":\"a\\n\\u0000\\\"é\"},{\"doubleValue\":1.0E300},{}]}}}]}},"
                + "\"attributes\":[{\"key\":\"min\",\"value\":"
                + "{\"intValue\":\"-9223372036854775808\"}}],"
                + "\"droppedAttributesCount\":4294967295,\"flags\":1,"
                + "\"traceId\":\"0123456789abcdef0123456789abcdef\","
                + "\"spanId\":\"0123456789abcdef\","
                + "\"observedTimeUnixNano\":\"1700000000000000001\",\"eventName\":\"event\"}]}]}]}");

    // What is stored is a request that stores the same.
    assertThat(json(logData(0)).statusCode()).isEqualTo(200);
    assertThat(logData(1)).isEqualTo(logData(0));
  }

  @Test
  void a_log_record_in_json_is_stored_byte_for_byte_also_members_that_are_not_known()
      throws Exception {
    String first =
        "{ \"timeUnixNano\": \"1\", \"traceId\":\"0123456789ABCDEF0123456789abcdef\",\"new\":[1.50,"
            + " {\"a\":null}], \"body\":{\"stringValue\":\"\\u00e9é\"}}";
    String body =
        " {\"resourceLogs\" : [ {\"scopeLogs\":[ {\"logRecords\":[ %s , {} ], \"scope\" : {\"name\":\"s\"}"
                .formatted(first)
            + " },{\"more\":-1.5e3,\"logRecords\":[{\"flags\":1}]}] , \"resource\": {\"x\":true},"
            + "\"n\" :12 ,\"t\":\"q\\\"\",\"e\":[], \"z\":null } , {} ], \"other\":{}}\n";

    var answer = json(body);

    assertThat(text(answer)).isEqualTo("{}");
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(JSON);
    String resource =
        "{\"resourceLogs\":[{\"resource\": {\"x\":true},\"n\" :12,\"t\":\"q\\\"\",\"e\":[],\"z\":null,";
    assertThat(hub.events).hasSize(3);
    assertThat(logData(0))
        .isEqualTo(
            resource
                + "\"scopeLogs\":[{\"scope\" : {\"name\":\"s\"},\"logRecords\":["
                + first
                + "]}]}]}");
    assertThat(logData(1))
        .isEqualTo(
            resource + "\"scopeLogs\":[{\"scope\" : {\"name\":\"s\"},\"logRecords\":[{}]}]}]}");
    assertThat(logData(2))
        .isEqualTo(
            resource + "\"scopeLogs\":[{\"more\":-1.5e3,\"logRecords\":[{\"flags\":1}]}]}]}");
    assertThat(hub.events.stream().map(StoredEvent::key).distinct()).hasSize(3);
  }

  @Test
  void pipelines_are_those_of_the_resource_in_both_encodings() throws Exception {
    AnyValue two =
        AnyValue.newBuilder()
            .setArrayValue(
                ArrayValue.newBuilder().addValues(string("a")).addValues(string("b\u00e9")))
            .build();
    AnyValue none = AnyValue.newBuilder().setArrayValue(ArrayValue.getDefaultInstance()).build();
    AnyValue mixed =
        AnyValue.newBuilder()
            .setArrayValue(
                ArrayValue.newBuilder()
                    .addValues(string("a"))
                    .addValues(AnyValue.newBuilder().setIntValue(1)))
            .build();
    AnyValue number = AnyValue.newBuilder().setIntValue(1).build();
    for (AnyValue value : List.of(string("one"), two, none, mixed, number)) {
      assertThat(protobuf(request(pipelines(value), record("x"))).statusCode()).isEqualTo(200);
    }
    for (int i = 0; i < 5; i++) {
      assertThat(json(logData(i)).statusCode()).isEqualTo(200);
    }
    // The order of members says nothing.
    String turned = "{\"value\":{\"stringValue\":\"late\"},\"key\":\"datanadhi.pipelines\"}";
    json(
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}]}],\"resource\":{\"attributes\":[%s]}}]}"
            .formatted(turned));

    List<String> expected =
        List.of("[\"one\"]", "[\"a\",\"bé\"]", "[]", "[\"otlp\"]", "[\"otlp\"]");
    assertThat(pipelines().subList(0, 5)).isEqualTo(expected);
    assertThat(pipelines().subList(5, 10)).isEqualTo(expected);
    assertThat(pipelines().getLast()).isEqualTo("[\"late\"]");
  }

  @Test
  void a_bad_log_record_among_good_ones_goes_into_quarantine_and_the_answer_says_so()
      throws Exception {
    String bad = "{\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\"}";

    var answer = json(request("", "{\"flags\":1}", bad, "{\"flags\":2}"));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(text(answer))
        .isEqualTo(
            "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\",\"errorMessage\":\"Log records that"
                + " cannot be stored are kept in quarantine: number 2: traceId is not"
                + " hexadecimal.\"}}");
    assertThat(hub.events).hasSize(2);
    assertThat(logData(1)).contains("{\"flags\":2}");
    assertThat(hub.quarantined).hasSize(1);
    assertThat(hub.quarantined.getFirst().quarantine()).isEqualTo("traceId is not hexadecimal");
    assertThat(hub.quarantined.getFirst().records().getFirst().logData())
        .isEqualTo(utf8(request("", bad)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1",
        "[]",
        "{\"timeUnixNano\":1.5}",
        "{\"timeUnixNano\":\"-1\"}",
        "{\"timeUnixNano\":\"18446744073709551616\"}",
        "{\"timeUnixNano\":true}",
        "{\"severityNumber\":\"SEVERITY_NUMBER_INFO\"}",
        "{\"severityText\":1}",
        "{\"flags\":4294967296}",
        "{\"spanId\":\"0\"}",
        "{\"spanId\":7}",
        "{\"attributes\":{}}",
        "{\"attributes\":[1]}",
        "{\"attributes\":[{\"key\":null,\"value\":{\"boolValue\":1}}]}",
        "{\"body\":\"text\"}",
        "{\"body\":{\"bytesValue\":\"=\"}}",
        "{\"body\":{\"doubleValue\":\"x\"}}",
        "{\"body\":{\"arrayValue\":{\"values\":[{\"kvlistValue\":{\"values\":{}}}]}}}",
      })
  void what_is_not_otlp_in_a_log_record_is_bad(String record) throws Exception {
    var answer = json(request("", record));

    assertThat(text(answer)).contains("\"rejectedLogRecords\":\"1\"");
    assertThat(hub.events).isEmpty();
    assertThat(hub.quarantined).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "{\"timeUnixNano\":1,\"observedTimeUnixNano\":\"18446744073709551615\"}",
        "{\"severityNumber\":99,\"attributes\":null,\"spanId\":\"\"}",
        "{\"body\":{\"doubleValue\":\"-Infinity\"}}",
        "{\"body\":{\"doubleValue\":1},\"traceId\":null}",
        "{\"body\":{\"intValue\":-1}}",
        "{\"body\":{\"bytesValue\":\"_w\"}}",
        "{\"unknown\":{\"timeUnixNano\":true}}",
      })
  void what_otlp_allows_in_a_log_record_is_stored(String record) throws Exception {
    assertThat(text(json(request("", record)))).isEqualTo("{}");
    assertThat(hub.events).hasSize(1);
  }

  @Test
  void a_text_that_is_not_utf_8_does_not_affect_the_other_log_records() throws Exception {
    // A LogRecord whose severity_text (3) is the byte FF.
    ByteString bad = ByteString.fromHex("1a01ff");
    UnknownFieldSet.Field records =
        UnknownFieldSet.Field.newBuilder()
            .addLengthDelimited(record("a").toByteString())
            .addLengthDelimited(bad)
            .addLengthDelimited(record("b").toByteString())
            .build();
    UnknownFieldSet scope = UnknownFieldSet.newBuilder().addField(2, records).build();
    UnknownFieldSet logs =
        UnknownFieldSet.newBuilder()
            .addField(
                2,
                UnknownFieldSet.Field.newBuilder().addLengthDelimited(scope.toByteString()).build())
            .build();
    byte[] request =
        UnknownFieldSet.newBuilder()
            .addField(
                1,
                UnknownFieldSet.Field.newBuilder().addLengthDelimited(logs.toByteString()).build())
            .build()
            .toByteArray();

    var answer = send(post(hub, PATH, PROTOBUF, request));

    var partial = ExportLogsServiceResponse.parseFrom(answer.body()).getPartialSuccess();
    assertThat(partial.getRejectedLogRecords()).isEqualTo(1);
    assertThat(partial.getErrorMessage()).contains("number 2").contains("UTF-8");
    assertThat(hub.events).hasSize(2);
    assertThat(hub.quarantined.getFirst().records().getFirst().logData())
        .isEqualTo(ByteString.fromHex("0a07120512031a01ff").toByteArray());
  }

  @Test
  void a_bad_resource_concerns_all_its_log_records_and_no_others() throws Exception {
    String bad = "{\"resource\":{\"attributes\":1},\"scopeLogs\":[{\"logRecords\":[{},{}]}]}";
    String scope = "{\"scopeLogs\":[{\"scope\":{\"name\":1},\"logRecords\":[{}]}]}";
    String good = "{\"scopeLogs\":[{\"logRecords\":[{}]}]}";

    var answer = json("{\"resourceLogs\":[" + String.join(",", bad, scope, good) + "]}");

    assertThat(text(answer)).contains("\"rejectedLogRecords\":\"3\"");
    assertThat(hub.events).hasSize(1);
    assertThat(hub.quarantined).hasSize(3);
  }

  @Test
  void a_log_record_whose_json_is_too_large_goes_into_quarantine() throws Exception {
    // Each of these characters takes six bytes in JSON.
    LogRecord large = record("\u0001".repeat(800_000));
    Resource resource = pipelines(string("p"));

    var answer = protobuf(request(resource, large, record("b")));

    var partial = ExportLogsServiceResponse.parseFrom(answer.body()).getPartialSuccess();
    assertThat(partial.getRejectedLogRecords()).isEqualTo(1);
    assertThat(hub.events).hasSize(1);
    assertThat(hub.quarantined.getFirst().records().getFirst().logData())
        .isEqualTo(request(resource, large).toByteArray());
  }

  @Test
  void a_key_makes_one_transaction_of_the_request_and_a_repeat_stores_nothing() throws Exception {
    var request = request(Resource.getDefaultInstance(), record("a"), record("b"));

    var first = protobuf(request, "Idempotency-Key", "\"k\"");
    var second = protobuf(request, "Idempotency-Key", "k");
    var other =
        protobuf(request(Resource.getDefaultInstance(), record("c")), "Idempotency-Key", "k");

    assertThat(first.headers().firstValue("Idempotent-Replayed")).isEmpty();
    assertThat(second.headers().firstValue("Idempotent-Replayed")).hasValue("true");
    assertThat(second.body()).isEqualTo(first.body());
    assertThat(hub.events).extracting(StoredEvent::key).containsExactly("k", "k");
    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(Status.parseFrom(other.body()).getCode()).isEqualTo(6);
  }

  @Test
  void gzip_is_unpacked() throws Exception {
    var answer = send(post(hub, PATH, JSON, gzip(request("", "{}")), "Content-Encoding", "gzip"));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(hub.events).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"resourceLogs\":[]}",
        "{\"resourceLogs\":null}",
        "{\"resourceLogs\":[{}]}"
      })
  void a_request_without_log_records_is_a_success(String body) throws Exception {
    assertThat(text(json(body))).isEqualTo("{}");
    assertThat(protobuf(ExportLogsServiceRequest.getDefaultInstance()).statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"resourceLogs\":1}",
        "{\"resourceLogs\":[1]}",
        "{\"resource_logs\":[]}",
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"log_records\":[]}]}]}",
        "{\"resourceLogs\":[{\"scope_logs\":[]}]}",
      })
  void a_request_that_is_not_otlp_is_refused_with_a_status(String body) throws Exception {
    var answer = json(body);

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(JSON);
    assertThat(text(answer)).startsWith("{\"code\":3,\"message\":\"");
  }

  @Test
  void protobuf_that_is_cut_is_refused_with_a_status() throws Exception {
    byte[] body = request(Resource.getDefaultInstance(), record("a")).toByteArray();

    var answer = send(post(hub, PATH, PROTOBUF, Arrays.copyOf(body, body.length - 1)));

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(PROTOBUF);
    assertThat(Status.parseFrom(answer.body()).getCode()).isEqualTo(3);
    assertThat(hub.events).isEmpty();
  }

  @Test
  void a_missing_key_a_wrong_type_and_a_large_body_are_refused_with_a_status() throws Exception {
    var unauthorized = send(bare(hub, PATH, PROTOBUF, new byte[0]));
    assertThat(unauthorized.statusCode()).isEqualTo(401);
    assertThat(Status.parseFrom(unauthorized.body()).getCode()).isEqualTo(16);

    var type = send(post(hub, PATH, "text/plain", "{}"));
    assertThat(type.statusCode()).isEqualTo(415);
    assertThat(text(type)).startsWith("{\"code\":3,");

    var large = send(post(hub, PATH, PROTOBUF, new byte[Limits.BODY + 1]));
    assertThat(large.statusCode()).isEqualTo(413);
    assertThat(Status.parseFrom(large.body()).getMessage()).contains("larger than 9437184");
  }

  @Test
  void what_is_temporary_is_503_with_retry_after() throws Exception {
    hub.forced = new Outcome.Unavailable("log_full", "the disk is full", Duration.ofSeconds(7));
    var refused = json(request("", "{}"));
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("7");
    assertThat(text(refused)).isEqualTo("{\"code\":14,\"message\":\"The disk is full.\"}");

    hub.forced = null;
    hub.bug = new IllegalStateException("a fault");
    assertThat(json(request("", "{}")).statusCode()).isEqualTo(503);

    hub.door.stopAccepting();
    var stopping = protobuf(request(Resource.getDefaultInstance(), record("a")));
    assertThat(stopping.statusCode()).isEqualTo(503);
    assertThat(Status.parseFrom(stopping.body()).getCode()).isEqualTo(14);
  }

  @Test
  void a_large_resource_with_many_log_records_takes_no_more_than_the_memory() throws Exception {
    String resource =
        "\"resource\":{\"attributes\":[{\"key\":\"%s\"}]},".formatted("x".repeat(1_000_000));
    String[] records = new String[1_000];
    Arrays.fill(records, "{}");

    var answer = json(request(resource, records));

    assertThat(answer.statusCode()).isEqualTo(413);
    assertThat(text(answer)).contains("--buffer-bytes");
    assertThat(hub.events).isEmpty();
  }

  @Test
  void many_pipelines_of_many_log_records_take_no_more_than_the_memory() throws Exception {
    ArrayValue.Builder names = ArrayValue.newBuilder();
    for (int i = 0; i < 100_000; i++) {
      names.addValues(string("p"));
    }
    LogRecord[] records = new LogRecord[10_000];
    Arrays.fill(records, LogRecord.getDefaultInstance());
    Resource resource = pipelines(AnyValue.newBuilder().setArrayValue(names).build());

    var answer = protobuf(request(resource, records));

    assertThat(answer.statusCode()).isEqualTo(413);
    assertThat(hub.events).isEmpty();
    assertThat(hub.mostLeased).isLessThanOrEqualTo(hub.memory);
  }

  @Test
  void a_request_with_more_log_records_than_transactions_in_a_call_is_stored() throws Exception {
    LogRecord[] records = new LogRecord[8_192];
    for (int i = 0; i < records.length; i++) {
      records[i] = LogRecord.newBuilder().setFlags(i).build();
    }

    assertThat(protobuf(request(Resource.getDefaultInstance(), records)).statusCode())
        .isEqualTo(200);
    assertThat(hub.events).hasSize(8_192);
    assertThat(logData(8_191)).contains("\"flags\":8191");
    assertThat(hub.known.size()).isLessThanOrEqualTo(1_000);
  }
}
