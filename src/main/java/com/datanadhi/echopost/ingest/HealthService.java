package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The standard `grpc.health.v1.Health`: `""` and `logagent.LogAgent` serve as long as the agent
/// does, `echopost.MainServer` follows the main server's state. Confined to the event loop.
///
/// A watch is no work of ours: nobody waits for its end, it is ended when its listener is.
final class HealthService implements ServerInterceptor {
  static final String NAME = "grpc.health.v1.Health";

  /// It carries a service's name.
  static final int MAX_MESSAGE_BYTES = 1 << 10;

  private static final String MAIN_SERVER = "echopost.MainServer";

  /// A bound to what they take in memory.
  private static final int MAX_WATCHES = 512;

  private final HealthStatusManager manager = new HealthStatusManager();
  private final Set<Watch<?, ?>> watches = new LinkedHashSet<>();
  private AgentStatus.ServerState known;

  HealthService(AgentStatus.ServerState mainServer) {
    // The agent as a whole, "", is serving from the start.
    manager.setStatus(LogAgentService.SERVICE, ServingStatus.SERVING);
    manager.setStatus(MAIN_SERVER, statusOf(mainServer));
    known = mainServer;
  }

  ServerServiceDefinition definition() {
    return ServerInterceptors.intercept(manager.getHealthService(), this);
  }

  /// Tells who watches, when the main server's state is another than before.
  void follow(AgentStatus.ServerState mainServer) {
    if (mainServer != known) {
      known = mainServer;
      manager.setStatus(MAIN_SERVER, statusOf(mainServer));
    }
  }

  private static ServingStatus statusOf(AgentStatus.ServerState mainServer) {
    return switch (mainServer) {
      case UNKNOWN -> ServingStatus.UNKNOWN;
      case UP -> ServingStatus.SERVING;
      case DOWN -> ServingStatus.NOT_SERVING;
    };
  }

  /// The agent may be leaving: nobody is kept, or keeps it, for the sake of a watch.
  void endWatches() {
    for (Watch<?, ?> watch : List.copyOf(watches)) {
      watch.close(Refusal.SHUTTING_DOWN.status(), new Metadata());
    }
    watches.clear();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (call.getMethodDescriptor().getType() != MethodType.SERVER_STREAMING) {
      return next.startCall(call, headers);
    }
    if (watches.size() >= MAX_WATCHES) {
      call.close(
          Status.RESOURCE_EXHAUSTED.withDescription("too many watch already"), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    Watch<Q, A> watch = new Watch<>(call);
    watches.add(watch);
    // By whose end the library forgets a watch.
    Context.CancellableContext context = Context.current().withCancellation();
    return new SimpleForwardingServerCallListener<>(
        Contexts.interceptCall(context, watch, headers, next)) {
      @Override
      public void onCancel() {
        super.onCancel();
        end();
      }

      @Override
      public void onComplete() {
        super.onComplete();
        end();
      }

      private void end() {
        watches.remove(watch);
        context.close();
      }
    };
  }

  /// A call of Watch, which can be ended from here without its service's knowledge.
  private static final class Watch<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private boolean ended;

    Watch(ServerCall<Q, A> call) {
      super(call);
    }

    @Override
    public void sendMessage(A message) {
      if (!ended) {
        super.sendMessage(message);
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!ended) {
        ended = true;
        super.close(status, trailers);
      }
    }
  }
}
