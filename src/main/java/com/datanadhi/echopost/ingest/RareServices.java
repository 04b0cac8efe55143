package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.OperatorProtocol;
import io.grpc.HandlerRegistry;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import org.jspecify.annotations.Nullable;

/// The services that most agents live and die without: the standard `grpc.health.v1.Health`, and
/// the operators'. Each is made when somebody first asks for it, since its classes take time to
/// load. Confined to the event loop.
final class RareServices extends HandlerRegistry {
  private final Connections connections;
  private final OwnUser ownUser;
  private @Nullable HealthService health;
  private @Nullable ServerServiceDefinition healthDefinition;
  private @Nullable ServerServiceDefinition operators;

  RareServices(Connections connections, OwnUser ownUser) {
    this.connections = connections;
    this.ownUser = ownUser;
  }

  @Override
  public @Nullable ServerMethodDefinition<?, ?> lookupMethod(
      String methodName, @Nullable String authority) {
    connections.current().spoke();
    @Nullable ServerServiceDefinition service =
        service(methodName.substring(0, Math.max(0, methodName.lastIndexOf('/'))));
    return service == null ? null : service.getMethod(methodName);
  }

  private @Nullable ServerServiceDefinition service(String name) {
    return switch (name) {
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
    Overview overview = connections.overview();
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
