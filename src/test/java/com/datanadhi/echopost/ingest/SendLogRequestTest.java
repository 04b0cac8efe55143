package com.datanadhi.echopost.ingest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.json.JsonValidator;
import com.google.protobuf.ByteString;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

class SendLogRequestTest {
  private final SendLogRequest.Reader reader = new SendLogRequest.Reader();

  private SendLogRequest parse(byte[] wire) {
    return reader.parse(new ByteArrayInputStream(wire));
  }

  private SendLogRequest.Message message(byte[] wire) {
    assertThat(parse(wire)).isInstanceOf(SendLogRequest.Message.class);
    return (SendLogRequest.Message) parse(wire);
  }

  private static byte[] unhex(String hex) {
    return java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private static long seed() {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println("SendLogRequestTest seed " + seed + " (-Dechopost.seed=" + seed + ")");
    return seed;
  }

  private static List<String> read(byte[] array) {
    List<String> names = new ArrayList<>();
    try (var parser = new JsonFactory().createParser(ObjectReadContext.empty(), array)) {
      assertThat(parser.nextToken()).isEqualTo(JsonToken.START_ARRAY);
      while (parser.nextToken() == JsonToken.VALUE_STRING) {
        names.add(parser.getString());
      }
      assertThat(parser.currentToken()).isEqualTo(JsonToken.END_ARRAY);
      assertThat(parser.nextToken()).isNull();
    }
    return names;
  }

  private static String randomText(Random random) {
    int[] alphabet = {'a', '"', '\\', '/', 0, 1, '\n', 0x7f, 0xe9, 0x2028, 0xfeff, 0x6f22, 0x1f600};
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(20); n > 0; n--) {
      text.appendCodePoint(alphabet[random.nextInt(alphabet.length)]);
    }
    return text.toString();
  }

  private static LogRequest randomRequest(Random random) {
    LogRequest.Builder request =
        LogRequest.newBuilder().setJsonData(randomText(random)).setApiKey(randomText(random));
    for (int n = random.nextInt(4); n > 0; n--) {
      request.addPipelines(randomText(random));
    }
    if (random.nextBoolean()) {
      UnknownFieldSet.Field field =
          UnknownFieldSet.Field.newBuilder()
              .addVarint(random.nextLong())
              .addFixed32(random.nextInt())
              .addFixed64(random.nextLong())
              .addLengthDelimited(ByteString.copyFromUtf8(randomText(random)))
              .addGroup(UnknownFieldSet.newBuilder().mergeVarintField(1, 7).build())
              .build();
      request.setUnknownFields(
          UnknownFieldSet.newBuilder().addField(4 + random.nextInt(500), field).build());
    }
    return request.build();
  }

  private void assertSame(SendLogRequest.Message message, LogRequest expected) {
    assertThat(new String(message.jsonData(), UTF_8)).isEqualTo(expected.getJsonData());
    assertThat(new String(message.apiKey(), UTF_8)).isEqualTo(expected.getApiKey());
    assertThat(read(message.pipelines())).isEqualTo(expected.getPipelinesList());
    assertThat(JsonValidator.problem(message.pipelines())).isNull();
  }

  @Test
  void random_messages_are_read_as_by_the_generated_class() {
    long seed = seed();
    Random random = new Random(seed);
    for (int round = 0; round < 5_000; round++) {
      LogRequest expected = randomRequest(random);
      assertSame(message(expected.toByteArray()), expected);
    }
  }

  @Test
  void a_damaged_message_that_the_generated_class_accepts_is_accepted() {
    long seed = seed();
    Random random = new Random(seed);
    int malformed = 0;
    for (int round = 0; round < 50_000; round++) {
      byte[] wire = randomRequest(random).toByteArray();
      byte[] cut = java.util.Arrays.copyOf(wire, random.nextInt(wire.length + 1));
      for (int n = random.nextInt(4); n > 0 && cut.length > 0; n--) {
        cut[random.nextInt(cut.length)] = (byte) random.nextInt(256);
      }
      LogRequest expected = generated(cut);
      SendLogRequest actual = parse(cut);
      if (expected != null) {
        assertThat(actual)
            .as("seed %d, %s", seed, java.util.HexFormat.of().formatHex(cut))
            .isInstanceOf(SendLogRequest.Message.class);
        assertSame((SendLogRequest.Message) actual, expected);
      } else if (actual instanceof SendLogRequest.Message(byte[] jsonData, byte[] _, byte[] _)) {
        // The payload's encoding is validated with the payload.
        assertThat(ByteString.copyFrom(jsonData).isValidUtf8())
            .as("seed %d, %s", seed, java.util.HexFormat.of().formatHex(cut))
            .isFalse();
      } else {
        malformed++;
      }
    }
    assertThat(malformed).isPositive();
  }

  @Test
  void a_value_that_is_replaced_must_be_utf_8_too() {
    for (int field : new int[] {1, 3}) {
      byte tag = (byte) (field << 3 | 2);
      byte[] wire = {tag, 1, (byte) 0x80, tag, 1, '1'};
      assertThat(generated(wire)).isNull();
      assertThat(parse(wire)).isInstanceOf(SendLogRequest.Malformed.class);
    }
  }

  private static @Nullable LogRequest generated(byte[] wire) {
    try {
      // It skips unknown fields, as the agent does: when it keeps them, it accepts overlong
      // numbers.
      return DiscardUnknownFieldsParser.wrap(LogRequest.parser()).parseFrom(wire);
    } catch (InvalidProtocolBufferException malformed) {
      return null;
    }
  }

  @Test
  void an_empty_message_has_empty_fields() {
    SendLogRequest.Message empty = message(new byte[0]);
    assertThat(empty.jsonData()).isEmpty();
    assertThat(empty.apiKey()).isEmpty();
    assertThat(empty.pipelines()).asString(UTF_8).isEqualTo("[]");
  }

  @Test
  void pipelines_become_exactly_a_json_array() {
    LogRequest request =
        LogRequest.newBuilder()
            .addPipelines("a")
            .addPipelines("")
            .addPipelines("b\"\\/é\n")
            .build();
    assertThat(message(request.toByteArray()).pipelines())
        .asString(UTF_8)
        .isEqualTo("[\"a\",\"\",\"b\\\"\\\\/é\\n\"]");
  }

  @Test
  void the_payload_is_kept_byte_for_byte() {
    byte[] payload = "{ \"é\":\t1.0e0 } \u0000\ufeff".getBytes(UTF_8);
    LogRequest request =
        LogRequest.newBuilder().setJsonDataBytes(ByteString.copyFrom(payload)).build();
    assertThat(message(request.toByteArray()).jsonData()).isEqualTo(payload);
  }

  @Test
  void the_last_of_two_values_of_a_field_counts() throws IOException {
    ByteArrayOutputStream twice = new ByteArrayOutputStream();
    LogRequest.newBuilder()
        .setJsonData("1")
        .setApiKey("a")
        .addPipelines("p")
        .build()
        .writeTo(twice);
    LogRequest.newBuilder()
        .setJsonData("2")
        .setApiKey("b")
        .addPipelines("q")
        .build()
        .writeTo(twice);
    assertSame(message(twice.toByteArray()), LogRequest.parseFrom(twice.toByteArray()));
  }

  @Test
  void a_known_field_number_with_another_wire_type_is_skipped() {
    assertThat(message(unhex("0807 0A0131 1807")).jsonData()).asString(UTF_8).isEqualTo("1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0A", // no length
        "0A05 31", // shorter than its length
        "0AFFFFFFFF07", // 2 GiB announced
        "0AFFFFFFFFFFFFFFFFFF01", // a negative length
        "FFFFFFFFFFFFFFFFFFFFFF", // an endless varint
        "00", // field number 0
        "0F", // wire type 7
        "0E", // wire type 6
        "24", // the end of a group that never started
        "23", // a group without an end
        "2B 34", // a group that ends as another
        "48 65 6C 6C 6F", // text
      })
  void bytes_that_are_no_message_are_malformed_and_never_an_exception(String hex) {
    assertThat(generated(unhex(hex))).isNull();
    assertThat(parse(unhex(hex)))
        .isInstanceOfSatisfying(
            SendLogRequest.Malformed.class,
            bad -> assertThat(bad.why()).startsWith("not a LogRequest message: "));
  }

  @Test
  void endless_nesting_of_groups_is_malformed() {
    byte[] groups = new byte[1 << 20];
    java.util.Arrays.fill(groups, (byte) 0x23);
    assertThat(parse(groups)).isInstanceOf(SendLogRequest.Malformed.class);
  }

  private static byte[] field(int number, ByteString value) {
    return UnknownFieldSet.newBuilder()
        .addField(number, UnknownFieldSet.Field.newBuilder().addLengthDelimited(value).build())
        .build()
        .toByteArray();
  }

  @Test
  void text_that_is_not_utf_8_is_named_in_the_error() {
    ByteString latin1 = ByteString.copyFrom("é", ISO_8859_1);
    ByteString surrogate = ByteString.copyFrom(unhex("EDA080"));
    for (ByteString bad : List.of(latin1, surrogate)) {
      assertThat(parse(field(3, bad)))
          .isEqualTo(new SendLogRequest.Malformed("api_key is not UTF-8"));
      assertThat(parse(field(2, bad)))
          .isEqualTo(new SendLogRequest.Malformed("a name in pipelines is not UTF-8"));
    }
  }

  @Test
  void the_request_marshaller_only_reads_and_the_response_marshaller_only_writes()
      throws IOException {
    assertThatThrownBy(() -> reader.stream(new SendLogRequest.Malformed("")))
        .isInstanceOf(UnsupportedOperationException.class);
    SendLogResponseMarshaller writer = new SendLogResponseMarshaller();
    assertThat(writer.stream(new byte[] {1, 2}).readAllBytes()).containsExactly(1, 2);
    assertThatThrownBy(() -> writer.parse(new ByteArrayInputStream(new byte[0])))
        .isInstanceOf(UnsupportedOperationException.class);
  }
}
