package com.datanadhi.hub.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.GetReceiptRequest;
import com.datanadhi.hub.proto.ReadRequest;
import com.datanadhi.hub.proto.Receipt;
import com.datanadhi.hub.proto.ReceiptState;
import com.datanadhi.hub.proto.StoredRecord;
import com.datanadhi.hub.query.Tenants;
import com.google.protobuf.Timestamp;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadStreamTest {
  private static final String TENANT = "acme";

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

  private void store(int from, int to) throws Exception {
    for (int i = from; i <= to; i++) {
      tenants.store(TENANT, "k-" + i, i % 2 == 0 ? List.of("even", "all") : List.of("all"), "" + i);
    }
  }

  private List<StoredRecord> read(ReadRequest.Builder request) {
    List<StoredRecord> records = new ArrayList<>();
    door.blocking().read(request.build()).forEachRemaining(records::add);
    return records;
  }

  private static List<Long> seqs(List<StoredRecord> records) {
    return records.stream().map(StoredRecord::getSeq).toList();
  }

  @Test
  void records_are_read_in_order_with_all_their_fields() throws Exception {
    tenants.store(TENANT, "k", List.of("ä", "b"), "{\"x\":\r\n1}", "2");
    List<StoredRecord> records = read(ReadRequest.newBuilder());

    assertThat(seqs(records)).containsExactly(1L, 2L);
    StoredRecord first = records.getFirst();
    assertThat(first.getKey()).isEqualTo("k");
    assertThat(first.getPart()).isEqualTo(1);
    assertThat(first.getReceivedAt()).isEqualTo(Timestamp.newBuilder().setSeconds(1).build());
    assertThat(first.getPosition()).isEqualTo("0123abcd/events-0:0");
    assertThat(first.getPipelinesList()).containsExactly("ä", "b");
    assertThat(first.getLogData().toStringUtf8()).isEqualTo("{\"x\":\r\n1}");
    assertThat(first.getSha256()).hasSize(64);
    assertThat(first.getDurability()).isEqualTo("fsync");
    assertThat(records.getLast().getPart()).isEqualTo(2);
  }

  @Test
  void a_tenant_without_records_has_none_and_gets_no_database() {
    assertThat(read(ReadRequest.newBuilder())).isEmpty();
    assertThat(tenants.databases.exists(TENANT)).isFalse();
  }

  @Test
  void from_limit_pipeline_and_times_select() throws Exception {
    store(1, 20);
    assertThat(seqs(read(ReadRequest.newBuilder().setFrom(18)))).containsExactly(18L, 19L, 20L);
    assertThat(seqs(read(ReadRequest.newBuilder().setLimit(2)))).containsExactly(1L, 2L);
    assertThat(seqs(read(ReadRequest.newBuilder().setPipeline("even").setLimit(3))))
        .containsExactly(2L, 4L, 6L);
    assertThat(
            seqs(
                read(
                    ReadRequest.newBuilder()
                        .setSince(Timestamp.newBuilder().setSeconds(4).setNanos(1))
                        .setUntil(Timestamp.newBuilder().setSeconds(7).setNanos(999_999_999)))))
        .containsExactly(5L, 6L, 7L);
  }

  @Test
  void values_out_of_their_range_are_invalid() {
    for (ReadRequest.Builder bad :
        List.of(
            ReadRequest.newBuilder().setFrom(-1),
            ReadRequest.newBuilder().setLimit(-1),
            ReadRequest.newBuilder().setSince(Timestamp.newBuilder().setNanos(-1)),
            ReadRequest.newBuilder().setUntil(Timestamp.newBuilder().setSeconds(1L << 60)))) {
      var failure = catchThrowableOfType(StatusRuntimeException.class, () -> read(bad));
      assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
  }

  @Test
  void follow_sees_new_records_until_its_limit() throws Exception {
    store(1, 3);
    Iterator<StoredRecord> records =
        door.blocking().read(ReadRequest.newBuilder().setFollow(true).setLimit(5).build());
    for (long seq = 1; seq <= 3; seq++) {
      assertThat(records.next().getSeq()).isEqualTo(seq);
    }
    store(4, 4);
    assertThat(records.next().getSeq()).isEqualTo(4);
    store(5, 6);
    assertThat(records.next().getSeq()).isEqualTo(5);
    assertThat(records.hasNext()).isFalse();
  }

  @Test
  void a_follower_of_a_pipeline_sees_only_its_records() throws Exception {
    store(1, 3);
    Responses<ReadRequest, StoredRecord> responses = new Responses<>();
    door.async()
        .read(ReadRequest.newBuilder().setFollow(true).setPipeline("even").build(), responses);
    responses.awaitCount(1);
    store(4, 9);
    responses.awaitCount(4);
    assertThat(seqs(responses.received())).containsExactly(2L, 4L, 6L, 8L);
    responses.cancel();
    assertThat(responses.end().getCode()).isEqualTo(Status.Code.CANCELLED);
  }

  @Test
  void a_follower_whose_key_is_revoked_is_ended() {
    Responses<ReadRequest, StoredRecord> responses = new Responses<>();
    door.async().read(ReadRequest.newBuilder().setFollow(true).build(), responses);
    door.revoked.add(Door.KEY);
    assertThat(responses.end().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  @Test
  void closing_ends_a_follower() throws Exception {
    store(1, 1);
    Responses<ReadRequest, StoredRecord> responses = new Responses<>();
    door.async().read(ReadRequest.newBuilder().setFollow(true).build(), responses);
    responses.awaitCount(1);
    door.server.close();
    assertThat(responses.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void a_reader_that_does_not_read_holds_no_snapshot() throws Exception {
    String large = "\"" + "x".repeat(100_000) + "\"";
    for (int i = 1; i <= 100; i++) {
      tenants.store(TENANT, "k-" + i, List.of(), large);
    }
    Iterator<StoredRecord> records = door.blocking().read(ReadRequest.getDefaultInstance());
    assertThat(records.next().getSeq()).isEqualTo(1);
    await().until(() -> canCheckpoint());

    List<Long> rest = new ArrayList<>();
    records.forEachRemaining(record -> rest.add(record.getSeq()));
    assertThat(rest).isEqualTo(LongStream.rangeClosed(2, 100).boxed().toList());
  }

  private boolean canCheckpoint() throws Exception {
    tenants.databases.checkpoint(TENANT);
    return true;
  }

  @Test
  void a_parked_tenant_is_unavailable() throws Exception {
    store(1, 1);
    tenants.parked.add(TENANT);
    var failure =
        catchThrowableOfType(StatusRuntimeException.class, () -> read(ReadRequest.newBuilder()));
    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void a_receipt_can_be_asked_for_by_key() throws Exception {
    tenants.store(TENANT, "k", List.of(), "1", "2");
    ReceiptState state =
        door.blocking().getReceipt(GetReceiptRequest.newBuilder().setKey("k").build());
    assertThat(state.getSeq()).isEqualTo(1);
    assertThat(state.getRecords()).isEqualTo(2);
    assertThat(state.getSha256()).hasSize(64);
    assertThat(state.getReceivedAt().getSeconds()).isEqualTo(1);

    var unknown =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> door.blocking().getReceipt(GetReceiptRequest.newBuilder().setKey("x").build()));
    assertThat(unknown.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    var bad =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> door.blocking().getReceipt(GetReceiptRequest.newBuilder().setKey("ä").build()));
    assertThat(bad.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void wait_applied_adds_the_seqs_once_the_records_can_be_read() throws Exception {
    AppendRequest request =
        Door.request("k-1", "1", "2").toBuilder()
            .setWaitApplied(com.google.protobuf.Duration.newBuilder().setSeconds(20))
            .build();
    Responses<AppendRequest, Receipt> responses = new Responses<>();
    door.async().append(request, responses);
    await().until(() -> !door.appends.order().isEmpty());
    assertThat(responses.received()).isEmpty();
    tenants.store(TENANT, "k-1", List.of("p"), "1", "2");

    assertThat(responses.end().isOk()).isTrue();
    assertThat(responses.received().getFirst().getFirstSeq()).isEqualTo(1);
    assertThat(responses.received().getFirst().getLastSeq()).isEqualTo(2);
  }

  @Test
  void wait_applied_that_is_over_gives_the_receipt_without_seqs() {
    AppendRequest request =
        Door.request("k-1", "1").toBuilder()
            .setWaitApplied(com.google.protobuf.Duration.newBuilder().setNanos(50_000_000))
            .build();
    Receipt receipt = door.blocking().append(request);
    assertThat(receipt.getKey()).isEqualTo("k-1");
    assertThat(receipt.hasFirstSeq()).isFalse();
  }
}
