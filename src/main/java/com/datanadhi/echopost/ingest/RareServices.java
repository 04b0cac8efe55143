package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.OperatorProtocol;
import io.grpc.HandlerRegistry;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The services that most agents live and die without: the standard `grpc.health.v1.Health`, and
/// the operators'. Each is made when somebody first asks for it, since its classes take time to
/// load.
final class RareServices extends HandlerRegistry {
  private static final String HEALTH = "grpc.health.v1.Health";

  private final Connections connections;
  private final OwnUser ownUser;
  private final Map<String, ServerServiceDefinition> made = new HashMap<>();

  RareServices(Connections connections, OwnUser ownUser) {
    this.connections = connections;
    this.ownUser = ownUser;
  }

  @Override
  public @Nullable ServerMethodDefinition<?, ?> lookupMethod(
      String methodName, @Nullable String authority) {
    @Nullable ServerServiceDefinition service =
        service(methodName.substring(0, Math.max(0, methodName.lastIndexOf('/'))));
    return service == null ? null : service.getMethod(methodName);
  }

  private synchronized @Nullable ServerServiceDefinition service(String name) {
    @Nullable ServerServiceDefinition known = made.get(name);
    if (known == null) {
      known = make(name);
      if (known != null) {
        made.put(name, known);
      }
    }
    return known;
  }

  private @Nullable ServerServiceDefinition make(String name) {
    return switch (name) {
      case HEALTH -> {
        HealthStatusManager manager = new HealthStatusManager();
        // The server as a whole, "", is serving from the start.
        manager.setStatus(SendLog.SERVICE, ServingStatus.SERVING);
        yield manager.getHealthService().bindService();
      }
      case OperatorProtocol.SERVICE -> OperatorService.definition(connections, ownUser);
      default -> null;
    };
  }
}
