package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/// `Relay LISTEN TARGET`: forwards the connections to the UNIX socket LISTEN to the UNIX socket
/// TARGET, in both directions. A test runs it as another user, so that the agent sees that user as
/// its client. It is a single file, because that user can run `java Relay.java` but cannot read the
/// class path.
public final class Relay {
  private Relay() {}

  /// Runs until the process is killed.
  public static void main(String[] args) throws IOException {
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      var _ = listener.bind(UnixDomainSocketAddress.of(args[0]));
      while (true) {
        SocketChannel client = listener.accept();
        SocketChannel agent = SocketChannel.open(UnixDomainSocketAddress.of(args[1]));
        var _ = Thread.ofVirtual().start(() -> pump(client, agent));
        var _ = Thread.ofVirtual().start(() -> pump(agent, client));
      }
    }
  }

  private static void pump(SocketChannel from, SocketChannel to) {
    try (from;
        to) {
      long _ = Channels.newInputStream(from).transferTo(Channels.newOutputStream(to));
    } catch (ClosedChannelException ended) {
      // The other direction has ended and closed both channels.
      return;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
