package com.datanadhi.sdk.internal.echopost;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;

/**
 * A gRPC name resolver that resolves every name to one loopback address, which {@link
 * UnixSocketFactory} ignores. With it gRPC uses neither DNS nor its own resolvers, which it cannot
 * find as services in a named module.
 */
public final class LoopbackResolver extends NameResolverProvider {
  static final String TARGET = "datanadhi:///agent";

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 5;
  }

  @Override
  public String getDefaultScheme() {
    return "datanadhi";
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    return new NameResolver() {
      @Override
      public String getServiceAuthority() {
        return "localhost";
      }

      @Override
      public void start(Listener2 listener) {
        listener.onResult2(
            ResolutionResult.newBuilder()
                .setAddressesOrError(
                    StatusOr.fromValue(
                        List.of(
                            new EquivalentAddressGroup(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 1)))))
                .build());
      }

      @Override
      public void shutdown() {
        // There is nothing to stop.
      }
    };
  }
}
