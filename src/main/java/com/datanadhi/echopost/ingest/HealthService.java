package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.upstream.ServerHealth;
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

/// The standard `grpc.health.v1.Health`: `""` and `logagent.LogAgent` are serving while records can
/// be stored, `echopost.MainServer` follows the main server's state. Confined to the event loop.
///
/// A watch does not keep the agent running: it is ended when a listener is closed.
final class HealthService implements ServerInterceptor {
  static final String NAME = "grpc.health.v1.Health";

  /// Enough for a request with the name of a service.
  static final int MAX_MESSAGE_BYTES = 1 << 10;

  private static final String MAIN_SERVER = "echopost.MainServer";

  /// Limits the memory that open watches use.
  private static final int MAX_WATCHES = 512;

  private final HealthStatusManager manager = new HealthStatusManager();
  private final Set<Watch<?, ?>> watches = new LinkedHashSet<>();
  private boolean knownStores;
  private ServerHealth known;

  HealthService(boolean storesRecords, ServerHealth mainServer) {
    set(storesRecords);
    manager.setStatus(MAIN_SERVER, statusOf(mainServer));
    knownStores = storesRecords;
    known = mainServer;
  }

  private void set(boolean storesRecords) {
    ServingStatus status = storesRecords ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    manager.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    manager.setStatus(LogAgentService.SERVICE, status);
  }

  ServerServiceDefinition definition() {
    return ServerInterceptors.intercept(manager.getHealthService(), this);
  }

  /// Notifies the watches of what has changed.
  void follow(boolean storesRecords, ServerHealth mainServer) {
    if (storesRecords != knownStores) {
      knownStores = storesRecords;
      set(storesRecords);
    }
    if (mainServer != known) {
      known = mainServer;
      manager.setStatus(MAIN_SERVER, statusOf(mainServer));
    }
  }

  private static ServingStatus statusOf(ServerHealth mainServer) {
    return switch (mainServer) {
      case UNKNOWN -> ServingStatus.UNKNOWN;
      case UP -> ServingStatus.SERVING;
      case DOWN -> ServingStatus.NOT_SERVING;
    };
  }

  /// Ends all watches: the agent may be about to exit.
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
          Status.RESOURCE_EXHAUSTED.withDescription(
              "too many open watches: end some of them, or try again later"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    Watch<Q, A> watch = new Watch<>(call);
    watches.add(watch);
    // The library removes a watch when its context is cancelled.
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

  /// A call of Watch that this class can end without the library's service.
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
