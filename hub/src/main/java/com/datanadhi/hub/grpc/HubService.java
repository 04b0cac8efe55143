package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.AppendResponse;
import com.datanadhi.hub.proto.GetReceiptRequest;
import com.datanadhi.hub.proto.HubGrpc;
import com.datanadhi.hub.proto.ReadRequest;
import com.datanadhi.hub.proto.Receipt;
import com.datanadhi.hub.proto.ReceiptState;
import com.datanadhi.hub.proto.StoredRecord;
import com.datanadhi.hub.query.Pages;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.record.IdempotencyKey;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.List;

/// The methods of `hub.v1.Hub`. They are called on virtual threads and may block.
final class HubService {
  private static final int PAGE_SHARES = 8;

  private final Appends appends;
  private final Appending appending;
  private final Queries queries;
  private final Stopping stopping;
  private final Pages pages = new Pages(PAGE_SHARES);

  HubService(Appends appends, Admission admission, Queries queries, Stopping stopping) {
    this.appends = appends;
    this.appending = new Appending(admission, queries);
    this.queries = queries;
    this.stopping = stopping;
  }

  ServerServiceDefinition definition() {
    return ServerServiceDefinition.builder(HubGrpc.SERVICE_NAME)
        .addMethod(
            method(HubGrpc.getAppendMethod(), AppendRequest.parser()),
            ServerCalls.asyncUnaryCall(this::append))
        .addMethod(
            method(HubGrpc.getAppendStreamMethod(), AppendRequest.parser()),
            ServerCalls.asyncBidiStreamingCall(this::appendStream))
        .addMethod(
            method(HubGrpc.getReadMethod(), ReadRequest.parser()),
            ServerCalls.asyncServerStreamingCall(this::read))
        .addMethod(
            method(HubGrpc.getGetReceiptMethod(), GetReceiptRequest.parser()),
            ServerCalls.asyncUnaryCall(this::getReceipt))
        .build();
  }

  static <Q extends Message, R> MethodDescriptor<Request<Q>, R> method(
      MethodDescriptor<Q, R> method, Parser<Q> parser) {
    return method.toBuilder(new Request.Marshaller<>(parser), method.getResponseMarshaller())
        .build();
  }

  /// Answers a call by one response.
  @FunctionalInterface
  interface Answer<R> {
    R get() throws Exception;
  }

  static <R> void unary(StreamObserver<R> observer, Answer<R> answer) {
    var call = (ServerCallStreamObserver<R>) observer;
    Arrival.current().handled();
    // With a handler, an answer to a cancelled call is dropped instead of thrown back.
    call.setOnCancelHandler(() -> {});
    if (call.isCancelled()) {
      return;
    }
    try {
      R response = answer.get();
      call.onNext(response);
      call.onCompleted();
    } catch (Exception failure) {
      call.onError(Statuses.of(failure));
    }
  }

  private void append(Request<AppendRequest> request, StreamObserver<Receipt> observer) {
    unary(
        observer,
        () -> {
          try (Admission.Lease _ = appending.admit(Caller.current().tenant(), request)) {
            return append(request);
          }
        });
  }

  private Receipt append(Request<AppendRequest> request)
      throws InterruptedException, StatusException {
    return switch (Appending.parse(request)) {
      case Appending.Refused refused -> throw StatusProto.toStatusException(refused.status());
      case Appending.Valid valid -> {
        Outcome outcome =
            appends.submitEach(Caller.current().tenant(), List.of(valid.submission())).getFirst();
        yield switch (outcome) {
          case Outcome.Stored stored -> appending.receipt(stored, valid.patience());
          case Outcome.Invalid invalid ->
              throw StatusProto.toStatusException(Statuses.invalid(invalid));
          case Outcome.Conflict conflict ->
              throw StatusProto.toStatusException(Statuses.conflict(conflict));
          case Outcome.Unavailable unavailable -> throw Statuses.unavailable(unavailable);
        };
      }
    };
  }

  private StreamObserver<Request<AppendRequest>> appendStream(
      StreamObserver<AppendResponse> observer) {
    AppendStream stream =
        new AppendStream(
            Caller.current(),
            appends,
            appending,
            stopping,
            (ServerCallStreamObserver<AppendResponse>) observer);
    stream.start();
    return stream;
  }

  private void read(Request<ReadRequest> request, StreamObserver<StoredRecord> observer) {
    Arrival.current().handled();
    new ReadStream(
            Caller.current(),
            queries,
            pages,
            stopping,
            (ServerCallStreamObserver<StoredRecord>) observer)
        .start(request);
  }

  private void getReceipt(
      Request<GetReceiptRequest> request, StreamObserver<ReceiptState> observer) {
    unary(
        observer,
        () -> {
          String key = request.orThrow().getKey();
          if (!IdempotencyKey.isValid(key)) {
            throw StatusProto.toStatusException(
                Statuses.invalid("a key has 1 to 255 visible ASCII characters"));
          }
          Queries.ReceiptState state = queries.receipt(Caller.current().tenant(), key);
          if (state == null) {
            throw Status.NOT_FOUND.withDescription("the key " + key + " is unknown").asException();
          }
          return message(state);
        });
  }

  private static ReceiptState message(Queries.ReceiptState state) {
    ReceiptState.Builder message =
        ReceiptState.newBuilder()
            .setTenant(state.tenant())
            .setKey(state.key())
            .setRecords(state.records());
    if (state.sha256() != null) {
      message.setSha256(state.sha256());
    }
    if (state.seq() != null) {
      message.setSeq(state.seq());
    }
    if (state.position() != null) {
      message.setPosition(state.position());
    }
    if (state.receivedAt() != null) {
      message.setReceivedAt(ReadStream.timestamp(state.receivedAt()));
    }
    return message.build();
  }
}
