package com.datanadhi.hub.grpc;

import static com.datanadhi.hub.grpc.Door.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.AppendResponse;
import com.datanadhi.hub.proto.NewRecord;
import com.datanadhi.hub.query.Tenants;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppendStreamTest {
  @TempDir Path directory;
  private Tenants tenants;
  private Door door;
  private Responses<AppendRequest, AppendResponse> responses;
  private StreamObserver<AppendRequest> stream;

  @BeforeEach
  void open() throws Exception {
    tenants = new Tenants(directory);
    door = new Door(tenants.queries());
    responses = new Responses<>();
    stream = door.async().appendStream(responses);
  }

  @AfterEach
  void close() throws Exception {
    door.close();
    tenants.close();
  }

  private static List<String> keys(int count) {
    return IntStream.range(0, count).mapToObj(i -> "k-" + i).toList();
  }

  @Test
  void a_thousand_pipelined_requests_are_stored_and_answered_in_order_by_few_calls() {
    door.appends.shut();
    for (String key : keys(1_000)) {
      stream.onNext(request(key, "{\"key\":\"" + key + "\"}"));
    }
    stream.onCompleted();
    door.appends.open();

    assertThat(responses.end().isOk()).isTrue();
    assertThat(responses.received().stream().map(r -> r.getReceipt().getKey()))
        .isEqualTo(keys(1_000));
    assertThat(responses.received().stream().map(AppendResponse::getNumber))
        .isEqualTo(LongStream.rangeClosed(1, 1_000).boxed().toList());
    assertThat(door.appends.order()).isEqualTo(keys(1_000));
    assertThat(door.appends.calls()).hasSizeLessThan(100);
    await().until(() -> door.admission.heldBytes() == 0);
  }

  @Test
  void a_request_that_can_never_be_stored_does_not_end_the_stream() {
    door.appends.fault("never", new Outcome.Invalid(400, "bad key", "use visible characters"));
    stream.onNext(request("a", "1"));
    stream.onNext(request("b", "{"));
    stream.onNext(request("never", "1"));
    // More memory than there is for all.
    stream.onNext(
        request("large", "1").toBuilder()
            .addRecords(NewRecord.newBuilder().addAllPipelines(Collections.nCopies(2_100_000, "")))
            .build());
    stream.onNext(request("a", "2"));
    stream.onNext(request("a", "1"));
    stream.onNext(request("c", "3"));
    stream.onCompleted();

    assertThat(responses.end().isOk()).isTrue();
    List<AppendResponse> all = responses.received();
    assertThat(all.stream().map(r -> r.getStatus().getCode()))
        .containsExactly(
            0,
            Status.Code.INVALID_ARGUMENT.value(),
            Status.Code.INVALID_ARGUMENT.value(),
            Status.Code.INVALID_ARGUMENT.value(),
            Status.Code.ALREADY_EXISTS.value(),
            0,
            0);
    assertThat(all.get(5).getReceipt().getReplayed()).isTrue();
    assertThat(all.get(6).getReceipt().getKey()).isEqualTo("c");
    assertThat(door.appends.order()).containsExactly("a", "c");
  }

  @Test
  void what_cannot_be_stored_now_ends_the_stream_after_the_answers_before_it() throws Exception {
    door.appends.fault(
        "later", new Outcome.Unavailable("log", "the log is full", Duration.ofSeconds(3)));
    stream.onNext(request("a", "1"));
    responses.awaitCount(1);
    stream.onNext(request("later", "1"));

    assertThat(responses.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(responses.received()).hasSize(1);
    var status = Objects.requireNonNull(StatusProto.fromThrowable(responses.failure()));
    assertThat(status.getDetails(0).unpack(RetryInfo.class).getRetryDelay().getSeconds())
        .isEqualTo(3);
    await().until(() -> door.admission.heldBytes() == 0);
  }

  @Test
  void a_half_closed_stream_without_requests_ends_with_ok() {
    stream.onCompleted();
    assertThat(responses.end().isOk()).isTrue();
    assertThat(responses.received()).isEmpty();
  }

  @Test
  void a_stream_that_is_cancelled_in_the_middle_gives_its_bytes_back() {
    door.appends.shut();
    for (String key : keys(100)) {
      stream.onNext(request(key, "1"));
    }
    await().until(() -> !door.appends.calls().isEmpty());
    assertThat(door.admission.heldBytes()).isPositive();
    responses.cancel();
    door.appends.open();

    assertThat(responses.end().getCode()).isEqualTo(Status.Code.CANCELLED);
    await().until(() -> door.admission.heldBytes() == 0);
    assertThat(door.blocking().append(request("k-0", "1")).getReplayed()).isTrue();
  }

  @Test
  void a_stream_whose_key_is_revoked_ends() {
    stream.onNext(request("a", "1"));
    responses.awaitCount(1);
    door.revoked.add(Door.KEY);
    stream.onNext(request("b", "1"));

    assertThat(responses.end().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(door.appends.order()).containsExactly("a");
  }

  @Test
  void large_requests_get_little_credit_so_that_memory_is_bounded() {
    String large = "\"" + "x".repeat(1 << 20) + "\"";
    door.appends.shut();
    for (String key : keys(200)) {
      stream.onNext(request(key, large));
    }
    stream.onCompleted();
    await().until(() -> !door.appends.calls().isEmpty());
    door.appends.open();

    Status end = responses.end();
    if (end.isOk()) {
      assertThat(door.appends.order()).isEqualTo(keys(200));
    } else {
      // The first credit was for small requests: the buffer refused the rest.
      assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      int stored = door.appends.order().size();
      assertThat(responses.received()).hasSizeLessThanOrEqualTo(stored);
      assertThat(door.appends.order()).isEqualTo(keys(200).subList(0, stored));
    }
    await().until(() -> door.admission.heldBytes() == 0);
  }
}
