package com.datanadhi.hub.grpc;

import static com.datanadhi.hub.grpc.Door.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.AppendResponse;
import com.datanadhi.hub.proto.HubGrpc;
import com.datanadhi.hub.proto.NewRecord;
import com.datanadhi.hub.proto.ReadRequest;
import com.datanadhi.hub.proto.Receipt;
import com.datanadhi.hub.proto.StoredRecord;
import com.datanadhi.hub.query.Tenants;
import com.google.protobuf.ByteString;
import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GrpcDoorTest {
  private static final String NONE = "";

  @TempDir Path directory;
  private Tenants tenants;
  private Door door;

  @BeforeEach
  void open() throws Exception {
    tenants = new Tenants(directory);
    door = new Door(tenants.queries());
  }

  @AfterEach
  void close() throws Exception {
    door.close();
    tenants.close();
  }

  @Test
  void a_connection_without_a_call_does_not_delay_the_end() throws Exception {
    try (Socket silent = new Socket()) {
      silent.connect(door.server.address());

      // The door waits up to 7 s for calls.
      assertTimeoutPreemptively(Duration.ofSeconds(5), door.server::close);
    }
  }

  private Status statusOf(AppendRequest request) {
    return failure(request).getStatus();
  }

  private StatusRuntimeException failure(AppendRequest request) {
    return Objects.requireNonNull(
        catchThrowableOfType(StatusRuntimeException.class, () -> door.blocking().append(request)));
  }

  private static Duration retryDelay(Throwable failure) throws Exception {
    var status = Objects.requireNonNull(StatusProto.fromThrowable(failure));
    var delay = status.getDetails(0).unpack(RetryInfo.class).getRetryDelay();
    return Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
  }

  @Test
  void an_append_gets_its_receipt_and_a_repeat_the_same() {
    Receipt first = door.blocking().append(request("k-1", "{\"a\":1}"));
    Receipt second = door.blocking().append(request("k-1", " {\"a\":1}\n"));

    assertThat(first.getTenant()).isEqualTo("acme");
    assertThat(first.getKey()).isEqualTo("k-1");
    assertThat(first.getSha256())
        .isEqualTo("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
    assertThat(first.getDurability()).isEqualTo("fsync");
    assertThat(first.getReplayed()).isFalse();
    assertThat(first.hasFirstSeq()).isFalse();
    assertThat(second).isEqualTo(first.toBuilder().setReplayed(true).build());
  }

  @Test
  void without_a_key_the_hub_makes_one() {
    assertThat(door.blocking().append(request(NONE, "1")).getKey()).isEqualTo("generated-1");
  }

  @Test
  void each_way_to_send_the_api_key_is_taken() {
    for (String name : List.of("datanadhi-api-key", "datanadhi_api_key", "x-datanadhi-api-key")) {
      Receipt receipt =
          Door.with(HubGrpc.newBlockingStub(door.channel), name, "other")
              .append(request(name, "1"));
      assertThat(receipt.getTenant()).isEqualTo("beta");
    }
    for (String scheme : List.of("Bearer ", "bearer  ")) {
      Receipt receipt =
          Door.with(HubGrpc.newBlockingStub(door.channel), "authorization", scheme + "other")
              .append(request(scheme.length() + "", "1"));
      assertThat(receipt.getTenant()).isEqualTo("beta");
    }
  }

  @Test
  void a_call_without_a_valid_key_is_unauthenticated_and_stores_nothing() {
    HubGrpc.HubBlockingStub none = HubGrpc.newBlockingStub(door.channel);
    for (HubGrpc.HubBlockingStub stub :
        List.of(
            none,
            Door.with(none, "datanadhi-api-key", "wrong"),
            Door.with(none, "authorization", "Basic " + Door.KEY))) {
      var failure =
          catchThrowableOfType(StatusRuntimeException.class, () -> stub.append(request("k", "1")));
      assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(failure.getStatus().getDescription()).contains("API key");
    }
    assertThat(door.appends.calls()).isEmpty();
  }

  @Test
  void while_keys_are_not_known_yet_calls_are_unavailable() throws Exception {
    door.starting = true;
    StatusRuntimeException failure = failure(request("k", "1"));
    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(retryDelay(failure)).isPositive();
  }

  @Test
  void each_outcome_has_its_status() throws Exception {
    door.appends.fault("never", new Outcome.Invalid(413, "too large", "log_data is too large"));
    door.appends.fault(
        "later", new Outcome.Unavailable("disk_full", "the disk is full", Duration.ofMillis(2500)));
    door.blocking().append(request("known", "1"));

    Status never = statusOf(request("never", "1"));
    assertThat(never.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(never.getDescription()).isEqualTo("too large: log_data is too large");

    StatusRuntimeException later = failure(request("later", "1"));
    assertThat(later.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(later.getStatus().getDescription()).isEqualTo("the disk is full");
    assertThat(retryDelay(later)).isEqualTo(Duration.ofMillis(2500));

    Status conflict = statusOf(request("known", "2"));
    assertThat(conflict.getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(conflict.getDescription())
        .contains("sent sha256 d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35")
        .contains("stored 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")
        .doesNotContain("pipelines");

    AppendRequest otherPipeline =
        request("known").toBuilder()
            .addRecords(
                NewRecord.newBuilder()
                    .setLogData(ByteString.copyFromUtf8("1"))
                    .addPipelines("another"))
            .build();
    assertThat(statusOf(otherPipeline).getDescription()).contains("the pipelines differ");
  }

  @Test
  void log_data_that_is_not_json_is_invalid_and_named() {
    for (String bad : List.of("", "{", "nul", "1 2", "{\"a\":NaN}", "[".repeat(1001))) {
      Status status = statusOf(request("k", "1", bad));
      assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(status.getDescription()).startsWith("log_data of record 2 is not JSON: ");
    }
    AppendRequest notUtf8 =
        AppendRequest.newBuilder()
            .addRecords(
                NewRecord.newBuilder()
                    .setLogData(ByteString.copyFrom(new byte[] {'"', (byte) 0xC3, '"'})))
            .build();
    assertThat(statusOf(notUtf8).getDescription()).contains("UTF-8");
    assertThat(door.appends.calls()).isEmpty();
  }

  @Test
  void a_negative_wait_is_invalid() {
    AppendRequest request =
        request("k", "1").toBuilder()
            .setWaitApplied(com.google.protobuf.Duration.newBuilder().setSeconds(-1))
            .build();
    assertThat(statusOf(request).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void a_message_that_is_not_protobuf_is_invalid() {
    for (byte[] broken :
        List.of(new byte[] {0x0A, 0x7F, 1}, new byte[] {0x0A, 1, (byte) 0xFF}, new byte[] {7})) {
      var failure = catchThrowableOfType(StatusRuntimeException.class, () -> sendRaw(broken));
      assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(failure.getStatus().getDescription()).startsWith("the message cannot be read: ");
    }
  }

  private Receipt sendRaw(byte[] bytes) {
    MethodDescriptor<byte[], Receipt> raw =
        HubGrpc.getAppendMethod().toBuilder(
                new Raw(), HubGrpc.getAppendMethod().getResponseMarshaller())
            .build();
    return ClientCalls.blockingUnaryCall(
        door.blocking().getChannel(), raw, CallOptions.DEFAULT, bytes);
  }

  /// Sends bytes as they are.
  private static final class Raw implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Test
  void a_compressed_request_is_unpacked_up_to_the_bound() {
    String large = "\"" + "x".repeat(4_000_000) + "\"";
    Receipt receipt = door.blocking().withCompression("gzip").append(request("k", large));
    assertThat(receipt.getKey()).isEqualTo("k");

    String bomb = "\"" + "x".repeat(GrpcDoor.MAX_MESSAGE) + "\"";
    var failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> door.blocking().withCompression("gzip").append(request("k", bomb)));
    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void a_message_beyond_the_bound_is_refused_by_grpc() {
    Status status = statusOf(request("k", "\"" + "x".repeat(GrpcDoor.MAX_MESSAGE) + "\""));
    assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(door.appends.calls()).isEmpty();
  }

  @Test
  void a_request_that_does_not_fit_the_buffer_is_unavailable_and_leaves_no_bytes_behind()
      throws Exception {
    try (Door small = new Door(tenants.queries(), 1_000, null)) {
      try (var _ = small.admission.tryAcquire("beta", 990)) {
        var failure =
            catchThrowableOfType(
                StatusRuntimeException.class, () -> small.blocking().append(request("k", "1")));
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(retryDelay(failure)).isPositive();
      }
      assertThat(small.blocking().append(request("k", "1")).getKey()).isEqualTo("k");
      await().until(() -> small.admission.heldBytes() == 0);
    }
  }

  @Test
  void a_request_that_takes_more_memory_than_there_is_for_all_can_never_be_stored() {
    NewRecord many =
        NewRecord.newBuilder()
            .setLogData(ByteString.copyFromUtf8("1"))
            .addAllPipelines(Collections.nCopies(2_100_000, ""))
            .build();
    Status status =
        statusOf(AppendRequest.newBuilder().setIdempotencyKey("k").addRecords(many).build());
    assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(status.getDescription()).contains("--buffer-bytes");
    assertThat(door.appends.calls()).isEmpty();
    assertThat(door.admission.heldBytes()).isZero();
  }

  @Test
  void too_many_records_are_refused_before_they_take_memory() {
    NewRecord record = NewRecord.newBuilder().setLogData(ByteString.copyFromUtf8("1")).build();
    Status status =
        statusOf(
            AppendRequest.newBuilder()
                .setIdempotencyKey("k")
                .addAllRecords(Collections.nCopies(1_800_000, record))
                .build());
    assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(status.getDescription()).contains("1800000 records: send at most 1000");
    assertThat(door.appends.calls()).isEmpty();
  }

  @Test
  void an_unexpected_failure_is_unavailable() throws Exception {
    Appends broken =
        (tenant, transactions) -> {
          throw new IllegalStateException("a fault");
        };
    try (Door faulty = new Door(tenants.queries(), 1 << 20, broken)) {
      var failure =
          catchThrowableOfType(
              StatusRuntimeException.class, () -> faulty.blocking().append(request("k", "1")));
      assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(failure.getStatus().getDescription()).doesNotContain("a fault");
    }
  }

  @Test
  void a_deadline_ends_the_call_and_the_record_can_be_stored_all_the_same() {
    door.appends.shut();
    // On a busy machine the deadline can be over before the request has arrived.
    await()
        .until(() -> {
          var failure =
              catchThrowableOfType(
                  StatusRuntimeException.class,
                  () ->
                      door.blocking()
                          .withDeadlineAfter(200, TimeUnit.MILLISECONDS)
                          .append(request("k", "1")));
          assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
          return !door.appends.calls().isEmpty();
        });

    door.appends.open();
    await().until(() -> door.appends.order().contains("k"));
    assertThat(door.blocking().append(request("k", "1")).getReplayed()).isTrue();
    await().until(() -> door.admission.heldBytes() == 0);
  }

  @Test
  void garbage_on_a_connection_ends_only_that_connection() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < 50; i++) {
      try (Socket socket =
          new Socket(door.server.address().getAddress(), door.server.address().getPort())) {
        if (random.nextBoolean()) {
          socket.getOutputStream().write(preface);
        }
        byte[] garbage = new byte[random.nextInt(1, 2_000)];
        random.nextBytes(garbage);
        socket.getOutputStream().write(garbage);
      } catch (IOException _) {
        // The server has closed the connection first.
      }
      assertThat(door.blocking().append(request("k-" + i, "1")).getKey())
          .as("seed %s", seed)
          .isEqualTo("k-" + i);
    }
  }

  @Test
  void health_needs_no_key_and_follows_readiness() {
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(door.channel);
    HealthCheckRequest hub =
        HealthCheckRequest.newBuilder().setService(HubGrpc.SERVICE_NAME).build();
    assertThat(health.check(hub).getStatus()).isEqualTo(ServingStatus.SERVING);
    door.ready = false;
    await().until(() -> health.check(hub).getStatus() == ServingStatus.NOT_SERVING);
    assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
        .isEqualTo(ServingStatus.NOT_SERVING);
    door.ready = true;
    await().until(() -> health.check(hub).getStatus() == ServingStatus.SERVING);
  }

  @Test
  void closing_answers_calls_in_progress_and_ends_streams_as_unavailable() throws Exception {
    Responses<AppendRequest, AppendResponse> streamed = new Responses<>();
    StreamObserver<AppendRequest> stream = door.async().appendStream(streamed);
    stream.onNext(request("before", "1"));
    streamed.awaitCount(1);
    door.appends.shut();
    stream.onNext(request("in-stream", "1"));
    Responses<AppendRequest, Receipt> unary = new Responses<>();
    door.async().append(request("in-progress", "1"), unary);
    await().until(() -> door.appends.calls().size() == 3);

    long begin = System.nanoTime();
    Thread closing = Thread.startVirtualThread(door.server::close);
    await().until(() -> statusOf(request("too-late", "1")).getCode() == Status.Code.UNAVAILABLE);
    door.appends.open();

    assertThat(unary.end().isOk()).isTrue();
    assertThat(streamed.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(streamed.received()).hasSize(2);
    closing.join();
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
    assertThat(door.appends.order()).doesNotContain("too-late");
  }

  @Test
  void silent_connections_beyond_the_bound_are_closed_and_not_those_of_clients() throws Exception {
    ManagedChannel appending = channel();
    ManagedChannel reading = channel();
    List<Socket> silent = new ArrayList<>();
    try {
      append(appending, "k-1");
      Responses<ReadRequest, StoredRecord> followed = new Responses<>();
      Door.with(HubGrpc.newStub(reading), "datanadhi-api-key", Door.KEY)
          .read(ReadRequest.newBuilder().setFrom(1).setFollow(true).build(), followed);
      append(reading, "k-0");
      CountDownLatch lost = new CountDownLatch(1);
      appending.notifyWhenStateChanged(ConnectivityState.READY, lost::countDown);
      reading.notifyWhenStateChanged(ConnectivityState.READY, lost::countDown);

      for (int i = 0; i < 3 * Door.MAX_CONNECTIONS; i++) {
        silent.add(connectedAndSilent());
      }

      // Its end comes, behind the settings; else this times out.
      assertThat(readToEnd(silent.getFirst())).isNotEmpty();
      append(appending, "k-2");
      ManagedChannel late = channel();
      try {
        append(late, "k-3");
      } finally {
        late.shutdownNow();
      }
      assertThat(lost.getCount()).isEqualTo(1);
    } finally {
      for (Socket socket : silent) {
        socket.close();
      }
      appending.shutdownNow();
      reading.shutdownNow();
    }
  }

  @Test
  void if_calls_are_in_progress_on_all_connections_the_newest_is_closed() throws Exception {
    List<ManagedChannel> clients = new ArrayList<>();
    try (Socket last = new Socket()) {
      for (int i = 0; i < Door.MAX_CONNECTIONS; i++) {
        ManagedChannel client = channel();
        clients.add(client);
        StreamObserver<AppendRequest> stream =
            Door.with(HubGrpc.newStub(client), "datanadhi-api-key", Door.KEY)
                .appendStream(new Responses<AppendRequest, AppendResponse>());
        stream.onNext(request("k-" + i, "1"));
        String key = "k-" + i;
        await().until(() -> door.appends.order().contains(key));
      }
      last.connect(door.server.address());
      last.setSoTimeout(5_000);
      assertThat(readToEnd(last)).isEmpty();
      assertThat(clients).allMatch(client -> client.getState(false) == ConnectivityState.READY);
    } finally {
      clients.forEach(ManagedChannel::shutdownNow);
    }
  }

  private ManagedChannel channel() {
    return NettyChannelBuilder.forAddress(door.server.address()).usePlaintext().build();
  }

  private static void append(ManagedChannel client, String key) {
    Receipt receipt =
        Door.with(HubGrpc.newBlockingStub(client), "datanadhi-api-key", Door.KEY)
            .append(request(key, "1"));
    assertThat(receipt.getKey()).isEqualTo(key);
  }

  /// A connection of HTTP/2 that has no call.
  private Socket connectedAndSilent() throws IOException {
    Socket socket = new Socket(door.server.address().getAddress(), door.server.address().getPort());
    socket.setSoTimeout(5_000);
    socket
        .getOutputStream()
        .write(
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                .getBytes(StandardCharsets.US_ASCII));
    // The server's settings: it has taken the connection.
    assertThat(socket.getInputStream().readNBytes(9)).hasSize(9);
    return socket;
  }

  private static byte[] readToEnd(Socket socket) throws IOException {
    try {
      return socket.getInputStream().readAllBytes();
    } catch (SocketException reset) {
      return new byte[0];
    }
  }
}
