package com.datanadhi.hub.grpc;

import com.datanadhi.hub.tls.TlsSettings;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// Where the gRPC door listens.
///
/// @param address with port 0, a free one
/// @param maxConnections open at once; beyond it the connection that has been of the least use is
///   closed
/// @param tls null for plain text
public record GrpcSettings(
    InetSocketAddress address, int maxConnections, @Nullable TlsSettings tls) {
  public GrpcSettings {
    if (maxConnections < 1) {
      throw new IllegalArgumentException("maxConnections must be at least 1");
    }
  }
}
