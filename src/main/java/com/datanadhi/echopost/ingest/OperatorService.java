package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.buffer.Sweep;
import com.datanadhi.echopost.control.OperatorProtocol;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/// The service `echopost.Operator` of proto/operator.proto: hands an operator's decisions to the
/// buffer's one writer. For the agent's own user alone, since who may send records need not be
/// trusted to delete them.
final class OperatorService implements ServerCallHandler<Sweep, Sweep.Slice> {
  private final Connections connections;
  private final OwnUser ownUser;

  private OperatorService(Connections connections, OwnUser ownUser) {
    this.connections = connections;
    this.ownUser = ownUser;
  }

  static ServerServiceDefinition definition(Connections connections, OwnUser ownUser) {
    OperatorService handler = new OperatorService(connections, ownUser);
    ServerServiceDefinition.Builder service =
        ServerServiceDefinition.builder(OperatorProtocol.SERVICE);
    for (Sweep.Action action : Sweep.Action.values()) {
      service.addMethod(OperatorProtocol.method(action), handler);
    }
    return service.build();
  }

  @Override
  public ServerCall.Listener<Sweep> startCall(
      ServerCall<Sweep, Sweep.Slice> call, Metadata headers) {
    Status refusal = connections.refusalAtOnce();
    if (refusal == null && !ownUser.isAt(connections.current().channel())) {
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
    return new Receiver(call);
  }

  private final class Receiver extends ServerCall.Listener<Sweep> {
    private final ServerCall<Sweep, Sweep.Slice> call;
    private @Nullable Sweep sweep;

    Receiver(ServerCall<Sweep, Sweep.Slice> call) {
      this.call = call;
    }

    @Override
    public void onMessage(Sweep message) {
      sweep = message;
    }

    @Override
    public void onHalfClose() {
      if (sweep == null) {
        call.close(
            Status.INVALID_ARGUMENT.withDescription("the call carried no message"), new Metadata());
        return;
      }
      var _ = connections.buffer().sweep(sweep).whenComplete(this::answer);
    }

    /// In the writer's thread. gRPC takes it from there, and nothing here blocks.
    private void answer(Sweep.@Nullable Slice slice, @Nullable Throwable failed) {
      if (slice != null) {
        call.sendHeaders(new Metadata());
        call.sendMessage(slice);
        call.close(Status.OK, new Metadata());
      } else {
        Status status =
            failed instanceof StorageException storage && storage.passes()
                ? Status.RESOURCE_EXHAUSTED
                : Status.INTERNAL;
        call.close(
            status.withDescription(failed == null ? "" : failed.getMessage()), new Metadata());
      }
    }
  }
}
