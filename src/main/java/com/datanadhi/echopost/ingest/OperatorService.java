package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.OperatorProtocol;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.StorageException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.netty.channel.Channel;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One method of the service `echopost.Operator` of proto/operator.proto. They hand an operator's
/// decisions to the buffer's one writer, and tell how the agent is doing. For the agent's own user
/// alone, since who may send records need not be trusted to delete them.
///
/// @param <Q> what is asked
/// @param <A> what is answered
final class OperatorService<Q, A> implements ServerCallHandler<Q, A> {
  private final Connections connections;
  private final PeerCredentials ownUser;
  private final Function<Q, CompletableFuture<A>> method;

  /// @param method called on the event loop, and must not block
  private OperatorService(
      Connections connections, PeerCredentials ownUser, Function<Q, CompletableFuture<A>> method) {
    this.connections = connections;
    this.ownUser = ownUser;
    this.method = method;
  }

  static ServerServiceDefinition definition(Connections connections, PeerCredentials ownUser) {
    ServerServiceDefinition.Builder service =
        ServerServiceDefinition.builder(OperatorProtocol.SERVICE);
    for (RejectedBatch.Action action : RejectedBatch.Action.values()) {
      service.addMethod(
          OperatorProtocol.method(action),
          new OperatorService<>(connections, ownUser, sweep -> connections.buffer().apply(sweep)));
    }
    return service
        .addMethod(
            OperatorProtocol.IMPORT,
            new OperatorService<>(
                connections, ownUser, batch -> connections.buffer().importBatch(batch)))
        .addMethod(
            OperatorProtocol.STATUS,
            new OperatorService<>(
                connections,
                ownUser,
                asked -> CompletableFuture.completedFuture(overview(connections).status())))
        .addMethod(
            OperatorProtocol.METRICS,
            new OperatorService<>(
                connections,
                ownUser,
                asked ->
                    CompletableFuture.supplyAsync(
                        () -> overview(connections).metrics(asked.openMetrics()),
                        Thread::startVirtualThread)))
        .build();
  }

  private static AgentInfo overview(Connections connections) {
    return Objects.requireNonNull(
        connections.overview(), "nobody gets this far before there is one");
  }

  @Override
  public ServerCall.Listener<Q> startCall(ServerCall<Q, A> call, Metadata headers) {
    Refusal atOnce = connections.refusalAtOnce();
    Status refusal = atOnce == null ? null : atOnce.status();
    Channel client =
        Objects.requireNonNull(call.getAttributes().get(GrpcConnectionHandler.CLIENT)).channel();
    if (refusal == null && !ownUser.isAt(client)) {
      refusal =
          Status.PERMISSION_DENIED.withDescription(
              "only the user that the agent runs as may do this");
    }
    if (refusal != null) {
      call.close(refusal, new Metadata());
      return new ServerCall.Listener<>() {};
    }
    // Two, so that a second message, which is an error, is seen as one.
    call.request(2);
    return new Receiver(call, client.eventLoop());
  }

  private final class Receiver extends ServerCall.Listener<Q> {
    private final ServerCall<Q, A> call;
    private final Executor loop;
    private @Nullable Q asked;

    Receiver(ServerCall<Q, A> call, Executor loop) {
      this.call = call;
      this.loop = loop;
    }

    @Override
    public void onMessage(Q message) {
      if (asked == null) {
        asked = message;
      } else {
        call.close(
            Status.INVALID_ARGUMENT.withDescription("the call carried more than one message"),
            new Metadata());
      }
    }

    @Override
    public void onHalfClose() {
      if (asked == null) {
        call.close(
            Status.INVALID_ARGUMENT.withDescription("the call carried no message"), new Metadata());
        return;
      }
      // It can be settled in any thread, as the buffer's writer.
      var _ = method.apply(asked).whenCompleteAsync(this::answer, loop);
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
