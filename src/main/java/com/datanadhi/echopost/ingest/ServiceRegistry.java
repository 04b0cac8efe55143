package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.OperatorProtocol;
import com.datanadhi.echopost.grpc.ClientConnection;
import com.datanadhi.echopost.grpc.GrpcApplication;
import com.datanadhi.echopost.grpc.GrpcMethod;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import org.jspecify.annotations.Nullable;

/// The services of the agent. Most agents end without a call of the standard
/// `grpc.health.v1.Health` and of the operators' service: each is created on its first call, since
/// its classes take time to load. Confined to the event loop.
final class ServiceRegistry implements GrpcApplication {
  private final LogAgentService logAgent;
  private final Availability availability;
  private final PeerCredentials peers;
  private @Nullable HealthService health;
  private @Nullable ServerServiceDefinition healthDefinition;
  private @Nullable ServerServiceDefinition operators;

  ServiceRegistry(LogAgentService logAgent, Availability availability, PeerCredentials peers) {
    this.logAgent = logAgent;
    this.availability = availability;
    this.peers = peers;
  }

  @Override
  public @Nullable GrpcMethod<?, ?> method(String fullName) {
    return fullName.equals(LogAgentService.SEND_LOG) ? logAgent.sendLog() : rareMethod(fullName);
  }

  private @Nullable GrpcMethod<?, ?> rareMethod(String fullName) {
    return switch (fullName.substring(0, Math.max(0, fullName.lastIndexOf('/')))) {
      case HealthService.NAME -> {
        if (healthDefinition == null) {
          health = new HealthService(availability.storesRecords(), availability.serverHealth());
          healthDefinition = health.definition();
        }
        yield method(healthDefinition.getMethod(fullName), HealthService.MAX_MESSAGE_BYTES);
      }
      case OperatorProtocol.SERVICE -> {
        if (operators == null) {
          operators = OperatorMethod.definition(availability, peers);
        }
        yield method(operators.getMethod(fullName), SendLogRequest.MAX_BYTES);
      }
      default -> null;
    };
  }

  private static @Nullable GrpcMethod<?, ?> method(
      @Nullable ServerMethodDefinition<?, ?> found, int maxMessageBytes) {
    return found == null
        ? null
        : GrpcMethod.withServerLimit(found, maxMessageBytes, SendLogRequest.MAX_BYTES);
  }

  @Override
  public void connectionClosed(ClientConnection connection) {
    logAgent.connectionClosed(connection);
  }

  /// Notifies watches of changes.
  void tick() {
    if (health != null) {
      health.follow(availability.storesRecords(), availability.serverHealth());
    }
  }

  /// Ends all watches: has to be called before a listener is closed.
  void endWatches() {
    if (health != null) {
      health.endWatches();
    }
  }
}
