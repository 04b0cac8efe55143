package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.time.Clock;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/// Follows one call's message as it comes in: when its last bytes came, and how many are held in
/// memory until it is complete. Confined to the event loop.
final class Receiving extends ServerStreamTracer {
  private final Connections connections;
  private final Clock clock;
  private @Nullable Arrival arrival;
  private long lastNanos;
  private long bytes;

  private Receiving(Connections connections, Clock clock) {
    this.connections = connections;
    this.clock = clock;
  }

  /// gRPC makes a call's tracer right before it starts the call, in the same breath.
  static Factory factory(Connections connections, Clock clock) {
    return new Factory() {
      @Override
      public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
        Receiving receiving = new Receiving(connections, clock);
        connections.receiving(receiving);
        return receiving;
      }
    };
  }

  void follow(Arrival mine) {
    arrival = mine;
  }

  /// The message is let in from now on.
  void begin() {
    lastNanos = clock.nanos();
  }

  @Override
  public void inboundWireSize(long more) {
    lastNanos = clock.nanos();
    if (arrival != null && !arrival.isThrough()) {
      bytes += more;
      connections.held(more, arrival);
    }
  }

  /// gRPC itself ends a call whose message is beyond its bound.
  @Override
  public void streamClosed(Status status) {
    if (arrival != null
        && !arrival.isEnded()
        && status.getCode() == Status.Code.RESOURCE_EXHAUSTED) {
      connections.refusals().count(Refusal.Reason.TOO_LARGE);
    }
  }

  /// The message is complete, or will never be.
  void end() {
    connections.released(bytes);
    bytes = 0;
  }

  long lastNanos() {
    return lastNanos;
  }
}
