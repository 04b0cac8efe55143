package com.datanadhi.hub.otlp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.json.JsonValidator;
import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.ArrayValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.logs.v1.SeverityNumber;
import io.opentelemetry.proto.resource.v1.Resource;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LogsRequestTest {
  private static final int ROUNDS = 20_000;
  private static final byte[] JSON_BYTES =
      "{}[]\",:0123456789.-eE\\utrfnl \n\u00e9x".getBytes(UTF_8);

  private static KeyValue attribute(String key, AnyValue.Builder value) {
    return KeyValue.newBuilder().setKey(key).setValue(value).build();
  }

  private static ExportLogsServiceRequest request() {
    AnyValue.Builder array =
        AnyValue.newBuilder()
            .setArrayValue(
                ArrayValue.newBuilder()
                    .addValues(AnyValue.newBuilder().setStringValue("p"))
                    .addValues(AnyValue.newBuilder().setStringValue("é")));
    LogRecord record =
        LogRecord.newBuilder()
            .setTimeUnixNano(1)
            .setSeverityNumber(SeverityNumber.SEVERITY_NUMBER_INFO)
            .setTraceId(ByteString.copyFrom(new byte[16]))
            .setFlags(7)
            .setBody(AnyValue.newBuilder().setBytesValue(ByteString.copyFromUtf8("xy")))
            .addAttributes(attribute("d", AnyValue.newBuilder().setDoubleValue(0.5)))
            .addAttributes(attribute("i", AnyValue.newBuilder().setIntValue(-5)))
            .build();
    ScopeLogs scope =
        ScopeLogs.newBuilder()
            .setScope(InstrumentationScope.newBuilder().setName("s"))
            .setSchemaUrl("u")
            .addLogRecords(record)
            .addLogRecords(LogRecord.newBuilder().setSeverityText("T"))
            .build();
    return ExportLogsServiceRequest.newBuilder()
        .addResourceLogs(
            ResourceLogs.newBuilder()
                .setResource(
                    Resource.newBuilder().addAttributes(attribute("datanadhi.pipelines", array)))
                .addScopeLogs(scope)
                .addScopeLogs(scope))
        .build();
  }

  private static byte[] mutated(byte[] bytes, Random random, byte @Nullable [] alphabet) {
    byte[] result = bytes.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      int at = random.nextInt(result.length);
      switch (random.nextInt(3)) {
        case 0 ->
            result[at] =
                alphabet == null
                    ? (byte) random.nextInt(256)
                    : alphabet[random.nextInt(alphabet.length)];
        case 1 -> {
          int to = Math.min(result.length, at + 1 + random.nextInt(8));
          byte[] cut = Arrays.copyOf(result, result.length - (to - at));
          System.arraycopy(result, to, cut, at, result.length - to);
          result = cut.length == 0 ? result : cut;
        }
        default -> {
          int length = Math.min(result.length - at, 1 + random.nextInt(8));
          byte[] longer = Arrays.copyOf(result, result.length + length);
          System.arraycopy(result, at, longer, at + length, result.length - at);
          result = longer;
        }
      }
    }
    return result;
  }

  /// @return how many log records can be stored, or -1 if the request is refused
  private static int check(byte[] body, boolean json) {
    Admission admission = new Admission(16 << 20);
    try (Admission.Lease lease = Objects.requireNonNull(admission.tryAcquire("t", body.length))) {
      LogsRequest logs =
          json
              ? LogsRequest.ofJson(body, lease)
              : LogsRequest.ofProtobuf(ByteString.copyFrom(body), lease);
      int stored = 0;
      for (Submission submission : logs.submissions(null)) {
        for (RecordData record : submission.records()) {
          if (submission.quarantine() == null) {
            stored++;
            assertThat(JsonValidator.problem(record.logData())).isNull();
            LogsRequest again = LogsRequest.ofJson(record.logData(), lease);
            assertThat(again.response().hasPartialSuccess()).isFalse();
            RecordData same = again.submissions(null).getFirst().records().getFirst();
            assertThat(same.logData()).isEqualTo(record.logData());
            assertThat(same.pipelines()).isEqualTo(record.pipelines());
          } else {
            LogsRequest again =
                json
                    ? LogsRequest.ofJson(record.logData(), lease)
                    : LogsRequest.ofProtobuf(ByteString.copyFrom(record.logData()), lease);
            assertThat(again.response().getPartialSuccess().getRejectedLogRecords()).isEqualTo(1);
          }
        }
      }
      return stored;
    } catch (RequestException refused) {
      return -1;
    }
  }

  private static void fuzz(byte[] body, boolean json) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    assertThat(check(body, json)).isEqualTo(4);
    int stored = 0;
    for (int i = 0; i < ROUNDS; i++) {
      byte[] sent = mutated(body, random, json ? JSON_BYTES : null);
      try {
        stored += check(sent, json) > 0 ? 1 : 0;
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ", round " + i, e);
      }
    }
    assertThat(stored).isPositive();
  }

  @Test
  void whatever_comes_in_protobuf_each_log_record_is_json_that_is_taken_again_or_kept_as_it_came() {
    fuzz(request().toByteArray(), false);
  }

  @Test
  void whatever_comes_in_json_each_log_record_is_json_that_is_taken_again_or_kept_as_it_came()
      throws Exception {
    Admission.Lease lease = Objects.requireNonNull(new Admission(1 << 20).tryAcquire("t", 0));
    StringBuilder all = new StringBuilder();
    LogsRequest logs = LogsRequest.ofProtobuf(request().toByteString(), lease);
    for (Submission submission : logs.submissions(null)) {
      String one = new String(submission.records().getFirst().logData(), UTF_8);
      all.append(all.isEmpty() ? "" : ",").append(one, one.indexOf('[') + 1, one.length() - 2);
    }
    lease.close();

    fuzz(("{\"resourceLogs\":[" + all + "]}").getBytes(UTF_8), true);
  }
}
