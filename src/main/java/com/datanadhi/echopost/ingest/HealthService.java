package com.datanadhi.echopost.ingest;

import io.grpc.HandlerRegistry;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import org.jspecify.annotations.Nullable;

/// The standard service `grpc.health.v1.Health`, made when somebody first asks for it: most agents
/// live and die without, and its generated classes take time to load.
final class HealthService extends HandlerRegistry {
  private static final String PREFIX = "grpc.health.v1.Health/";

  private @Nullable ServerServiceDefinition service;

  @Override
  public @Nullable ServerMethodDefinition<?, ?> lookupMethod(
      String methodName, @Nullable String authority) {
    return methodName.startsWith(PREFIX) ? service().getMethod(methodName) : null;
  }

  private synchronized ServerServiceDefinition service() {
    ServerServiceDefinition made = service;
    if (made == null) {
      HealthStatusManager manager = new HealthStatusManager();
      // The server as a whole, "", is serving from the start.
      manager.setStatus(SendLog.SERVICE, ServingStatus.SERVING);
      made = manager.getHealthService().bindService();
      service = made;
    }
    return made;
  }
}
