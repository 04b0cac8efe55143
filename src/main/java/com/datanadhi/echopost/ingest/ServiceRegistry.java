package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.OperatorProtocol;
import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import org.jspecify.annotations.Nullable;

/// What can be called. Most agents live and die without the standard `grpc.health.v1.Health` and
/// the operators' service: each is made when somebody first asks for it, since its classes take
/// time to load. Confined to the event loop.
final class ServiceRegistry extends HandlerRegistry {
  private final Connections connections;
  private final PeerCredentials ownUser;
  private final ServerServiceDefinition sendLog;
  private @Nullable HealthService health;
  private @Nullable ServerServiceDefinition healthDefinition;
  private @Nullable ServerServiceDefinition operators;

  ServiceRegistry(Connections connections, PeerCredentials ownUser) {
    this.connections = connections;
    this.ownUser = ownUser;
    this.sendLog = LogAgentService.service(connections);
  }

  @Override
  public @Nullable ServerMethodDefinition<?, ?> lookupMethod(
      String methodName, @Nullable String authority) {
    @Nullable ServerServiceDefinition service =
        service(methodName.substring(0, Math.max(0, methodName.lastIndexOf('/'))));
    return service == null ? null : service.getMethod(methodName);
  }

  /// The most bytes that a message to `method` may have.
  static int largestMessage(MethodDescriptor<?, ?> method) {
    return HealthService.NAME.equals(method.getServiceName())
        ? HealthService.MAX_MESSAGE_BYTES
        : GrpcCall.MAX_MESSAGE_BYTES;
  }

  private @Nullable ServerServiceDefinition service(String name) {
    return switch (name) {
      case LogAgentService.SERVICE -> sendLog;
      case HealthService.NAME -> {
        if (healthDefinition == null) {
          health = new HealthService(mainServer());
          healthDefinition = health.definition();
        }
        yield healthDefinition;
      }
      case OperatorProtocol.SERVICE -> {
        if (operators == null) {
          operators = OperatorService.definition(connections, ownUser);
        }
        yield operators;
      }
      default -> null;
    };
  }

  private AgentStatus.ServerState mainServer() {
    AgentInfo overview = connections.overview();
    return overview == null ? AgentStatus.ServerState.UNKNOWN : overview.serverState();
  }

  /// Tells who watches what has changed.
  void tick() {
    if (health != null) {
      health.follow(mainServer());
    }
  }

  /// Before a listener is closed.
  void endWatches() {
    if (health != null) {
      health.endWatches();
    }
  }
}
