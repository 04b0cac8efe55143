package com.datanadhi.hub.grpc;

import com.datanadhi.hub.proto.ReadRequest;
import com.datanadhi.hub.proto.StoredRecord;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.query.Pages;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.query.RecordPage;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.ViewException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// One stream of records. A virtual thread reads pages and sends them as the client takes them.
final class ReadStream {
  /// How long it takes at most to notice a cancelled call or a revoked key.
  private static final Duration SLICE = Duration.ofSeconds(1);

  /// How long a stream waits for its turn, and for a client that takes nothing.
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final long MILLIS = 1_000;
  private static final int NANOS_PER_MILLI = 1_000_000;
  private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};

  private final Caller caller;
  private final Queries queries;
  private final Pages pages;
  private final Stopping stopping;
  private final Outbound<StoredRecord> outbound;

  ReadStream(
      Caller caller,
      Queries queries,
      Pages pages,
      Stopping stopping,
      ServerCallStreamObserver<StoredRecord> call) {
    this.caller = caller;
    this.queries = queries;
    this.pages = pages;
    this.stopping = stopping;
    this.outbound = new Outbound<>(call, () -> {});
  }

  void start(Request<ReadRequest> request) {
    Thread.ofVirtual()
        .name("read-stream")
        .start(() -> {
          try {
            send(request.orThrow());
            outbound.complete();
          } catch (Exception failure) {
            outbound.fail(Statuses.of(failure));
          }
        });
  }

  private void send(ReadRequest request)
      throws StatusException, ViewException, InvalidQueryException, InterruptedException {
    long from = unsigned(request.getFrom(), "from");
    long left = unsigned(request.getLimit(), "limit");
    if (left == 0) {
      left = Long.MAX_VALUE;
    }
    String pipeline = request.hasPipeline() ? request.getPipeline() : null;
    Long since = request.hasSince() ? millis(request.getSince(), "since", true) : null;
    Long until = request.hasUntil() ? millis(request.getUntil(), "until", false) : null;
    while (left > 0 && !outbound.isCancelled()) {
      stopping.check();
      caller.check();
      int limit = (int) Math.min(left, Queries.PAGE_ROWS);
      EventFilter filter = new EventFilter(from, limit, pipeline, since, until);
      boolean more;
      try (Pages.Held<RecordPage<StoredEvent>> held =
          pages.read(
              caller.tenant(),
              PATIENCE,
              RecordPage::bytes,
              () -> queries.records(caller.tenant(), filter))) {
        if (held == null) {
          throw Statuses.unavailable("the hub serves as many readers as it can", RETRY);
        }
        RecordPage<StoredEvent> page = held.page();
        if (!send(page)) {
          return;
        }
        from = page.next();
        left -= page.records().size();
        more = page.more();
      }
      if (!more) {
        if (!request.getFollow()) {
          return;
        }
        awaitSeq(from);
      }
    }
  }

  private boolean send(RecordPage<StoredEvent> page) throws StatusException, InterruptedException {
    for (StoredEvent event : page.records()) {
      if (!outbound.awaitReady(PATIENCE)) {
        throw Statuses.unavailable(
            "the client took no record for "
                + PATIENCE.toSeconds()
                + " s; read on from seq "
                + event.seq(),
            RETRY);
      }
      if (!outbound.send(message(event))) {
        return false;
      }
    }
    return true;
  }

  private void awaitSeq(long seq) throws StatusException, InterruptedException {
    while (!outbound.isCancelled() && !queries.awaitSeq(caller.tenant(), seq, SLICE)) {
      stopping.check();
      caller.check();
    }
  }

  private static StoredRecord message(StoredEvent event) {
    return StoredRecord.newBuilder()
        .setSeq(event.seq())
        .setKey(event.key())
        .setPart(event.part())
        .setReceivedAt(timestamp(event.receivedAt()))
        .setPosition(event.position())
        .addAllPipelines(JsonMapper.shared().readValue(event.pipelines(), NAMES))
        .setLogData(UnsafeByteOperations.unsafeWrap(event.logData()))
        .setSha256(event.sha256())
        .setDurability(event.durability())
        .build();
  }

  static Timestamp timestamp(long millis) {
    return Timestamp.newBuilder()
        .setSeconds(Math.floorDiv(millis, MILLIS))
        .setNanos((int) Math.floorMod(millis, MILLIS) * NANOS_PER_MILLI)
        .build();
  }

  private static long unsigned(long value, String field) throws StatusException {
    if (value < 0) {
      throw StatusProto.toStatusException(Statuses.invalid(field + " is too large"));
    }
    return value;
  }

  private static @Nullable Long millis(Timestamp time, String field, boolean up)
      throws StatusException {
    long nanos = time.getNanos();
    if (nanos < 0 || nanos > 999_999_999 || Math.abs(time.getSeconds()) > 253_402_300_799L) {
      throw StatusProto.toStatusException(Statuses.invalid(field + " is not a time"));
    }
    return time.getSeconds() * MILLIS
        + (up ? Math.ceilDiv(nanos, NANOS_PER_MILLI) : nanos / NANOS_PER_MILLI);
  }
}
