package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.OperatorProtocol;
import com.datanadhi.echopost.grpc.GrpcCall;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.netty.channel.Channel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One method of the service `echopost.Operator` of proto/operator.proto. The service passes an
/// operator's decisions to the buffer's one writer, and returns the agent's status and metrics.
/// Only the user that the agent runs as, and root, may call it: other users may be allowed to send
/// records and not to delete them. Confined to the event loop.
///
/// @param <Q> the type of requests
/// @param <A> the type of responses
final class OperatorMethod<Q, A> implements ServerCallHandler<Q, A> {
  private final Availability availability;
  private final PeerCredentials peers;
  private final Function<Q, CompletableFuture<A>> method;

  /// @param method called on the event loop, and must not block
  private OperatorMethod(
      Availability availability, PeerCredentials peers, Function<Q, CompletableFuture<A>> method) {
    this.availability = availability;
    this.peers = peers;
    this.method = method;
  }

  static ServerServiceDefinition definition(Availability availability, PeerCredentials peers) {
    ServerServiceDefinition.Builder service =
        ServerServiceDefinition.builder(OperatorProtocol.SERVICE);
    for (RejectedRange.Action action : RejectedRange.Action.values()) {
      service.addMethod(
          OperatorProtocol.method(action),
          new OperatorMethod<>(availability, peers, range -> availability.buffer().apply(range)));
    }
    return service
        .addMethod(
            OperatorProtocol.IMPORT,
            new OperatorMethod<>(
                availability, peers, batch -> availability.buffer().importBatch(batch)))
        .addMethod(
            OperatorProtocol.STATUS,
            new OperatorMethod<>(
                availability,
                peers,
                asked -> CompletableFuture.completedFuture(availability.statusSource().status())))
        .addMethod(
            OperatorProtocol.METRICS,
            new OperatorMethod<>(
                availability,
                peers,
                asked ->
                    CompletableFuture.supplyAsync(
                        () -> availability.statusSource().metrics(asked.openMetrics()),
                        Thread::startVirtualThread)))
        .build();
  }

  @Override
  public ServerCall.Listener<Q> startCall(ServerCall<Q, A> call, Metadata headers) {
    Refusal atOnce = availability.refusal();
    Status refusal = atOnce == null ? null : atOnce.status();
    Channel client = ((GrpcCall<Q, A>) call).connection().channel();
    if (refusal == null && !peers.isOwnUserOrRoot(client)) {
      refusal =
          Status.PERMISSION_DENIED.withDescription(
              "only the user that the agent runs as, and root, may do this");
    }
    if (refusal != null) {
      call.close(refusal, new Metadata());
      return new ServerCall.Listener<>() {};
    }
    // Two, so that a second message, which is an error, is noticed.
    call.request(2);
    return new Receiver(call, client.eventLoop());
  }

  private final class Receiver extends ServerCall.Listener<Q> {
    private final ServerCall<Q, A> call;
    private final Executor loop;
    private @Nullable Q request;

    Receiver(ServerCall<Q, A> call, Executor loop) {
      this.call = call;
      this.loop = loop;
    }

    @Override
    public void onMessage(Q message) {
      if (request == null) {
        request = message;
      } else {
        call.close(
            Status.INVALID_ARGUMENT.withDescription("the call carried more than one message"),
            new Metadata());
      }
    }

    @Override
    public void onHalfClose() {
      if (request == null) {
        call.close(
            Status.INVALID_ARGUMENT.withDescription("the call carried no message"), new Metadata());
        return;
      }
      // Any thread can complete the future, as the buffer's writer does.
      var _ = method.apply(request).whenCompleteAsync(this::answer, loop);
    }

    private void answer(@Nullable A answer, @Nullable Throwable failed) {
      if (answer != null) {
        call.sendHeaders(new Metadata());
        call.sendMessage(answer);
        call.close(Status.OK, new Metadata());
      } else {
        Status status =
            failed instanceof StorageException storage && storage.isTransient()
                ? Status.RESOURCE_EXHAUSTED
                : Status.INTERNAL;
        call.close(
            status.withDescription(failed == null ? "" : failed.getMessage()), new Metadata());
      }
    }
  }
}
