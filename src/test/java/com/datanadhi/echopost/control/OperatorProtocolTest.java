package com.datanadhi.echopost.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.proto.OperatorGrpc;
import com.datanadhi.echopost.proto.RejectedSlice;
import com.datanadhi.echopost.proto.ServerState;
import com.datanadhi.echopost.proto.StatusReply;
import com.datanadhi.echopost.proto.StorageState;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.RejectedRange.Action;
import com.datanadhi.echopost.upstream.ServerHealth;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The hand-written messages against the classes that protoc generates from proto/operator.proto.
class OperatorProtocolTest {
  private final Random random = new Random(seed());

  private static long seed() {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println("OperatorProtocolTest seed " + seed + " (-Dechopost.seed=" + seed + ")");
    return seed;
  }

  private static <T> byte[] bytes(MethodDescriptor.Marshaller<T> marshaller, T message)
      throws IOException {
    return marshaller.stream(message).readAllBytes();
  }

  @Test
  void the_methods_are_those_of_the_proto() {
    assertThat(OperatorProtocol.method(Action.REDRIVE).getFullMethodName())
        .isEqualTo(OperatorGrpc.getRedriveMethod().getFullMethodName());
    assertThat(OperatorProtocol.method(Action.DISCARD).getFullMethodName())
        .isEqualTo(OperatorGrpc.getDiscardMethod().getFullMethodName());
    assertThat(OperatorProtocol.STATUS.getFullMethodName())
        .isEqualTo(OperatorGrpc.getStatusMethod().getFullMethodName());
    assertThat(OperatorProtocol.METRICS.getFullMethodName())
        .isEqualTo(OperatorGrpc.getMetricsMethod().getFullMethodName());
  }

  @Test
  void an_import_batch_matches_the_proto() throws IOException {
    assertThat(OperatorProtocol.IMPORT.getFullMethodName())
        .isEqualTo(OperatorGrpc.getImportMethod().getFullMethodName());
    var marshaller = OperatorProtocol.IMPORT.getRequestMarshaller();
    byte[] digest = new byte[32];
    random.nextBytes(digest);
    byte[] text = "\"é\"".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    ImportBatch batch =
        new ImportBatch(
            digest,
            List.of(
                new ImportBatch.Line(
                    text, "[]".getBytes(java.nio.charset.StandardCharsets.UTF_8), "k"),
                new ImportBatch.Line(text, text, null)));
    com.datanadhi.echopost.proto.ImportBatch read =
        com.datanadhi.echopost.proto.ImportBatch.parseFrom(bytes(marshaller, batch));
    assertThat(read.getDigest().toByteArray()).isEqualTo(digest);
    assertThat(read.getRecordsCount()).isEqualTo(2);
    assertThat(read.getRecords(0).getLogData().toByteArray()).isEqualTo(text);
    assertThat(read.getRecords(0).getPipelines().toStringUtf8()).isEqualTo("[]");
    assertThat(read.getRecords(0).getKey()).isEqualTo("k");
    assertThat(read.getRecords(1).hasKey()).isFalse();
    ImportBatch back = marshaller.parse(new ByteArrayInputStream(read.toByteArray()));
    assertThat(bytes(marshaller, back)).isEqualTo(bytes(marshaller, batch));
    var reply = OperatorProtocol.IMPORT.getResponseMarshaller();
    assertThat(com.datanadhi.echopost.proto.ImportReply.parseFrom(bytes(reply, 7)).getCount())
        .isEqualTo(7);
    assertThat(reply.parse(new ByteArrayInputStream(bytes(reply, 7)))).isEqualTo(7);
  }

  @ParameterizedTest
  @EnumSource(Action.class)
  void a_rejected_range_matches_the_proto(Action action) throws IOException {
    var marshaller = OperatorProtocol.method(action).getRequestMarshaller();
    for (int i = 0; i < 1_000; i++) {
      @Nullable Integer status = random.nextBoolean() ? null : random.nextInt(600);
      RejectedRange range = new RejectedRange(action, random.nextLong(), random.nextLong(), status);
      com.datanadhi.echopost.proto.RejectedRange message =
          com.datanadhi.echopost.proto.RejectedRange.parseFrom(bytes(marshaller, range));
      assertThat(message.getAfterId()).isEqualTo(range.afterId());
      assertThat(message.getThroughId()).isEqualTo(range.throughId());
      assertThat(message.hasStatus() ? (Integer) message.getStatus() : null).isEqualTo(status);
      assertThat(marshaller.parse(new ByteArrayInputStream(message.toByteArray())))
          .isEqualTo(range);
    }
  }

  @Test
  void a_batch_of_rejected_records_matches_the_proto() throws IOException {
    var marshaller = OperatorProtocol.method(Action.REDRIVE).getResponseMarshaller();
    for (int i = 0; i < 1_000; i++) {
      List<Long> damaged = random.longs(random.nextInt(5)).boxed().toList();
      RejectedRange.Batch batch =
          new RejectedRange.Batch(random.nextLong(), random.nextInt(1_000), damaged);
      RejectedSlice message = RejectedSlice.parseFrom(bytes(marshaller, batch));
      assertThat(message.getThroughId()).isEqualTo(batch.throughId());
      assertThat(message.getCount()).isEqualTo(batch.count());
      assertThat(message.getDamagedIdsList()).isEqualTo(damaged);
      assertThat(marshaller.parse(new ByteArrayInputStream(message.toByteArray())))
          .isEqualTo(batch);
    }
  }

  @Test
  void a_status_matches_the_proto() throws IOException {
    var marshaller = OperatorProtocol.STATUS.getResponseMarshaller();
    for (int i = 0; i < 1_000; i++) {
      AgentStatus status =
          new AgentStatus(
              random.nextLong(),
              random.nextLong(),
              "1." + random.nextInt(),
              "http://server-" + random.nextInt(),
              List.of(ServerHealth.values()).get(random.nextInt(3)),
              random.nextLong(),
              "reason " + random.nextInt(),
              List.of(AgentStatus.StorageState.values()).get(random.nextInt(4)),
              "problem " + random.nextInt(),
              random.nextDouble(),
              random.nextDouble());
      StatusReply reply = StatusReply.parseFrom(bytes(marshaller, status));
      assertThat(reply)
          .isEqualTo(
              StatusReply.newBuilder()
                  .setPid(status.pid())
                  .setStartedAt(status.startedAt())
                  .setVersion(status.version())
                  .setServer(status.server())
                  .setServerState(ServerState.valueOf("SERVER_" + status.serverHealth()))
                  .setServerSince(status.serverSince())
                  .setStorageState(StorageState.valueOf("STORAGE_" + status.storageState()))
                  .setStorageProblem(status.storageProblem())
                  .setAcceptedPerSecond(status.acceptedPerSecond())
                  .setDeliveredPerSecond(status.deliveredPerSecond())
                  .setServerReason(status.serverReason())
                  .build());
      assertThat(marshaller.parse(new ByteArrayInputStream(reply.toByteArray()))).isEqualTo(status);
    }
  }

  @Test
  void an_unknown_enum_constant_is_read_as_unknown_or_failed() {
    StatusReply future =
        StatusReply.newBuilder().setServerStateValue(9).setStorageStateValue(9).build();
    AgentStatus read =
        OperatorProtocol.STATUS.parseResponse(new ByteArrayInputStream(future.toByteArray()));
    assertThat(read.serverHealth()).isEqualTo(ServerHealth.UNKNOWN);
    assertThat(read.storageState()).isEqualTo(AgentStatus.StorageState.FAILED);
  }

  @Test
  void metrics_messages_match_the_proto() throws IOException {
    for (boolean open : List.of(true, false)) {
      OperatorMessages.MetricsRequest request = new OperatorMessages.MetricsRequest(open);
      var proto = com.datanadhi.echopost.proto.MetricsRequest.newBuilder().setOpenMetrics(open);
      assertThat(OperatorProtocol.METRICS.streamRequest(request).readAllBytes())
          .isEqualTo(open ? proto.build().toByteArray() : new byte[] {8, 0});
      assertThat(
              OperatorProtocol.METRICS.parseRequest(
                  new ByteArrayInputStream(proto.build().toByteArray())))
          .isEqualTo(request);
    }
    byte[] reply = OperatorProtocol.METRICS.streamResponse("a 1\n").readAllBytes();
    assertThat(com.datanadhi.echopost.proto.MetricsReply.parseFrom(reply).getText())
        .isEqualTo("a 1\n");
    assertThat(OperatorProtocol.METRICS.parseResponse(new ByteArrayInputStream(reply)))
        .isEqualTo("a 1\n");
  }

  @Test
  void packed_and_single_values_of_a_repeated_field_are_read_in_their_order() {
    byte[] mixed = {8, 9, 24, 1, 26, 2, 2, 3, 24, 4};
    assertThat(
            OperatorProtocol.method(Action.REDRIVE)
                .parseResponse(new ByteArrayInputStream(mixed))
                .damagedIds())
        .containsExactly(1L, 2L, 3L, 4L);
  }

  @Test
  void unknown_fields_are_ignored_and_the_last_of_a_repeated_one_counts() {
    byte[] message = {8, 1, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2D, 1, 2, 3, 4, 0x33, 0x34, 8, 2};
    assertThat(
            OperatorProtocol.method(Action.DISCARD).parseRequest(new ByteArrayInputStream(message)))
        .isEqualTo(new RejectedRange(Action.DISCARD, 2, 0, null));
  }

  @Test
  void a_key_that_is_not_utf8_is_refused() {
    byte[] batch = {18, 3, 26, 1, (byte) 0xFF};
    assertThatThrownBy(() -> OperatorProtocol.IMPORT.parseRequest(new ByteArrayInputStream(batch)))
        .isInstanceOf(StatusRuntimeException.class);
  }

  @Test
  void malformed_bytes_are_refused() {
    var marshaller = OperatorProtocol.method(Action.REDRIVE).getRequestMarshaller();
    for (byte[] bad : List.of(new byte[] {8}, new byte[] {12}, new byte[] {34, 100, 1})) {
      assertThatThrownBy(() -> marshaller.parse(new ByteArrayInputStream(bad)))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("not a message of echopost.Operator");
    }
  }
}
