package com.datanadhi.hub.grpc;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where the gRPC door listens.
///
/// @param address with port 0, a free one
/// @param maxConnections open at once; beyond it the connection that has been of the least use is
///   closed
/// @param tlsCertificate PEM file with the certificate chain; null for plain text
/// @param tlsKey PEM file with its private key, as in [com.datanadhi.hub.tls.TlsSettings]
public record GrpcSettings(
    InetSocketAddress address,
    int maxConnections,
    @Nullable Path tlsCertificate,
    @Nullable Path tlsKey) {
  public GrpcSettings {
    if (maxConnections < 1) {
      throw new IllegalArgumentException("maxConnections must be at least 1");
    }
    if ((tlsCertificate == null) != (tlsKey == null)) {
      throw new IllegalArgumentException("a certificate and a key are needed, not one of them");
    }
  }
}
