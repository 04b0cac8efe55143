package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/// Forwards connections to a port on loopback to a UNIX socket, in both directions, for clients
/// that know only TCP. Ends with its connections when it is closed. Thread-safe.
public final class TcpRelay implements AutoCloseable {
  private final ServerSocketChannel listener;
  private final Path target;

  /// Listens on a free port.
  ///
  /// @param target the UNIX socket
  public TcpRelay(Path target) throws IOException {
    this.target = target;
    this.listener =
        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    var _ = Thread.ofVirtual().start(this::accept);
  }

  /// The port on loopback.
  public int port() {
    return listener.socket().getLocalPort();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel client = listener.accept();
        // Clients send small frames one by one, and wait for the response to each.
        var _ = client.setOption(StandardSocketOptions.TCP_NODELAY, true);
        SocketChannel agent = SocketChannel.open(UnixDomainSocketAddress.of(target));
        var _ = Thread.ofVirtual().start(() -> pump(client, agent));
        var _ = Thread.ofVirtual().start(() -> pump(agent, client));
      }
    } catch (ClosedChannelException closed) {
      // The test has ended.
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static void pump(SocketChannel from, SocketChannel to) {
    try (from;
        to) {
      long _ = Channels.newInputStream(from).transferTo(Channels.newOutputStream(to));
    } catch (IOException ended) {
      // The other direction has ended and closed both, or one end was reset.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
