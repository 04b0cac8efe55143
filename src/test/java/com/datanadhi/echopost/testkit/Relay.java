package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/// `Relay OUTSIDE INSIDE`: passes what comes to the UNIX socket OUTSIDE on to INSIDE, and back. Run
/// as another user, it is that user's client. In one file, so that `java Relay.java` runs it where
/// nothing else can be read.
public final class Relay {
  private Relay() {}

  /// Runs until it is killed.
  public static void main(String[] args) throws IOException {
    try (ServerSocketChannel outside = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      var _ = outside.bind(UnixDomainSocketAddress.of(args[0]));
      while (true) {
        SocketChannel client = outside.accept();
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
      // The other direction has ended, which ends this one.
      return;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
