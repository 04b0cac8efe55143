package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import io.grpc.ServerServiceDefinition;
import io.grpc.util.MutableHandlerRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;

/// Ingest's connections and calls with another service than the agent's behind them: what the stack
/// takes by itself.
public final class BareCalls {
  private BareCalls() {}

  /// Serves `service` on `socket` until the process ends.
  public static void serve(Path socket, ServerServiceDefinition service) {
    Transport transport = Transport.ofThisSystem();
    EventLoop loop = transport.newEventLoop("bare").next();
    Connections connections =
        new Connections(loop, new AdaptiveSpin(Clock.system()), Clock.system());
    MutableHandlerRegistry services = new MutableHandlerRegistry();
    var _ = services.addService(service);
    var _ =
        new ServerBootstrap()
            .group(transport.newEventLoop("accept"), loop)
            .channelFactory(transport::newListener)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    ClientConnection client = new ClientConnection(accepted, connections);
                    var _ =
                        accepted
                            .pipeline()
                            .addLast(client, GrpcConnectionHandler.of(client, services));
                  }
                })
            .bind(new DomainSocketAddress(socket.toString()))
            .syncUninterruptibly();
  }
}
