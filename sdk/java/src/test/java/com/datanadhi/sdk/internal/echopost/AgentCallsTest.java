package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.proto.OperatorGrpc;
import com.datanadhi.echopost.proto.ServerState;
import com.datanadhi.echopost.proto.StatusReply;
import com.datanadhi.echopost.proto.StatusRequest;
import com.datanadhi.sdk.internal.echopost.AgentCalls.StoreReply;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The messages are compared with those of protobuf's library. */
class AgentCallsTest {
  private static final ExtensionRegistryLite NONE = ExtensionRegistryLite.getEmptyRegistry();

  @Test
  void the_calls_have_the_names_of_the_service_definitions() {
    assertThat(AgentCalls.SEND_LOG.getFullMethodName())
        .isEqualTo(LogAgentGrpc.getSendLogMethod().getFullMethodName());
    assertThat(AgentCalls.STATUS.getFullMethodName())
        .isEqualTo(OperatorGrpc.getStatusMethod().getFullMethodName());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 127, 128, 16_383, 16_384, 2_097_152})
  void a_request_has_the_bytes_that_protobuf_writes(int size) {
    List<String> pipelines = List.of("orders", "", "prüfung €", "😀".repeat(60));
    String json = "{\"x\":\"" + "ä".repeat(size / 2) + "x".repeat(size % 2) + "\"}";
    assertThat(AgentCalls.logRequest(new OutgoingRecord(pipelines, json, "k"), "key-1"))
        .isEqualTo(
            LogRequest.newBuilder()
                .setJsonData(json)
                .addAllPipelines(pipelines)
                .setApiKey("key-1")
                .build()
                .toByteArray());
  }

  @Test
  void a_request_with_an_unpaired_surrogate_is_valid_for_protobuf() throws Exception {
    OutgoingRecord record = new OutgoingRecord(List.of(), "{\"x\":\"a\ud800b\"}", "k");
    assertThat(LogRequest.parseFrom(AgentCalls.logRequest(record, "key"), NONE).getJsonData())
        .isEqualTo("{\"x\":\"a?b\"}");
  }

  @Test
  void the_request_for_the_status_is_that_of_protobuf() {
    assertThat(AgentCalls.statusRequest())
        .isEqualTo(StatusRequest.getDefaultInstance().toByteArray());
  }

  @Test
  void replies_of_protobuf_are_read() {
    assertThat(StoreReply.decode(LogResponse.getDefaultInstance().toByteArray()))
        .isEqualTo(new StoreReply(false, ""));
    assertThat(
            StoreReply.decode(
                LogResponse.newBuilder()
                    .setSuccess(true)
                    .setMessage("störed")
                    .build()
                    .toByteArray()))
        .isEqualTo(new StoreReply(true, "störed"));
    StatusReply status =
        StatusReply.newBuilder()
            .setPid(-1)
            .setStartedAt(Long.MAX_VALUE)
            .setVersion("1.2.3")
            .setServer("http://main:5000")
            .setServerState(ServerState.SERVER_UP)
            .setAcceptedPerSecond(1.5)
            .setStorageProblem("x".repeat(1000))
            .build();
    assertThat(AgentCalls.StatusReply.decode(status.toByteArray()).server())
        .isEqualTo("http://main:5000");
    assertThat(AgentCalls.StatusReply.decode(new byte[0]).server()).isEmpty();
  }

  @Test
  void fields_that_are_unknown_or_of_another_type_are_skipped_and_the_last_of_a_field_counts()
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream message = CodedOutputStream.newInstance(bytes);
    message.writeString(2, "first");
    message.writeInt64(99, -5);
    message.writeFixed32(98, 7);
    message.writeFixed64(97, 7);
    message.writeDouble(536_870_911, 0.5);
    message.writeBool(1, false);
    message.writeBool(1, true);
    message.writeString(1, "no boolean");
    message.writeString(2, "last");
    message.writeInt32(2, 7);
    message.flush();
    LogResponse expected = LogResponse.parseFrom(bytes.toByteArray(), NONE);
    assertThat(StoreReply.decode(bytes.toByteArray()))
        .isEqualTo(new StoreReply(true, "last"))
        .isEqualTo(new StoreReply(expected.getSuccess(), expected.getMessage()));
  }

  @Test
  void a_reply_that_is_cut_off_is_refused_where_protobuf_refuses_it() {
    byte[] whole =
        LogResponse.newBuilder().setSuccess(true).setMessage("x".repeat(300)).build().toByteArray();
    for (int length = 0; length <= whole.length; length++) {
      assertReadLikeProtobuf(Arrays.copyOf(whole, length));
    }
  }

  @Test
  void damaged_replies_are_refused_or_read_as_protobuf_does() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] whole =
        LogResponse.newBuilder().setSuccess(true).setMessage("xxxxxxxx").build().toByteArray();
    int compared = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = Arrays.copyOf(whole, random.nextInt(whole.length + 8));
      for (int n = random.nextInt(4); n > 0 && damaged.length > 0; n--) {
        // ASCII, because protobuf refuses a string that is not UTF-8, which the SDK only logs.
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(128);
      }
      if (!canHaveGroup(damaged)) {
        assertReadLikeProtobuf(damaged);
        compared++;
      }
    }
    assertThat(compared).as("seed %d", seed).isGreaterThan(10_000);
  }

  /** Protobuf reads groups, a type of field that no agent sends; the SDK refuses them. */
  private static boolean canHaveGroup(byte[] message) {
    for (byte b : message) {
      if ((b & 7) == WireFormat.WIRETYPE_START_GROUP) {
        return true;
      }
    }
    return false;
  }

  private static void assertReadLikeProtobuf(byte[] message) {
    LogResponse expected;
    try {
      expected = LogResponse.parseFrom(message, NONE);
    } catch (InvalidProtocolBufferException refused) {
      assertThatThrownBy(() -> StoreReply.decode(message))
          .as(() -> Arrays.toString(message))
          .isInstanceOf(IllegalArgumentException.class);
      return;
    }
    assertThat(StoreReply.decode(message))
        .as(() -> Arrays.toString(message))
        .isEqualTo(new StoreReply(expected.getSuccess(), expected.getMessage()));
  }
}
