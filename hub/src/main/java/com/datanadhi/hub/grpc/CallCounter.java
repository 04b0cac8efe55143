package com.datanadhi.hub.grpc;

import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.util.concurrent.atomic.AtomicInteger;

/// Counts the calls in progress. Health watches do not count: they have no end.
final class CallCounter extends ServerStreamTracer.Factory {
  private final AtomicInteger open;

  CallCounter(AtomicInteger open) {
    this.open = open;
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
    if (method.startsWith(HealthGrpc.SERVICE_NAME)) {
      return new ServerStreamTracer() {};
    }
    open.incrementAndGet();
    return new ServerStreamTracer() {
      @Override
      public void streamClosed(Status status) {
        open.decrementAndGet();
      }
    };
  }
}
