package com.datanadhi.hub.admin;

import com.datanadhi.hub.logging.Events;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Serves [Administration] at `DIR/hub.sock`, for the hub's own user. Whoever opens one holds the
/// lock of DIR. Thread-safe.
public final class AdminServer implements AutoCloseable {
  private static final int MAX_REQUEST_BYTES = 1 << 20;
  private static final Duration LAST_CALLS = Duration.ofSeconds(1);

  private final Path directory;
  private final Administration administration;
  private Listening listening;

  private AdminServer(Path directory, Administration administration, Listening listening) {
    this.directory = directory;
    this.administration = administration;
    this.listening = listening;
  }

  /// Begins to serve. A socket that nobody listens at is replaced.
  ///
  /// @param dataDirectory DIR
  /// @throws IOException another process listens there, or the socket cannot be made; the message
  ///   says which
  public static AdminServer open(Path dataDirectory, Administration administration)
      throws IOException {
    Path directory = dataDirectory.toAbsolutePath().normalize();
    return new AdminServer(directory, administration, Listening.open(directory, administration));
  }

  /// Listens at a new socket if `hub.sock` is not this one's any more: somebody may have deleted
  /// it. Calls over the old one end after one second.
  ///
  /// @throws IOException see [#open]
  public synchronized void keep() throws IOException {
    if (!listening.isNamed(directory)) {
      Listening before = listening;
      listening = Listening.open(directory, administration);
      before.end(directory);
      Events.warning("admin_socket_restored", "socket", directory.resolve(AdminSocket.NAME));
    }
  }

  /// Whether a process serves the socket of this data directory.
  public static boolean isServed(Path dataDirectory) throws IOException {
    UnixDomainSocketAddress address = AdminSocket.address(dataDirectory.toRealPath());
    return address != null && AdminSocket.isListening(address);
  }

  /// Removes the socket, if it is still this one's, and ends calls that run after one second.
  @Override
  public synchronized void close() {
    listening.removeName(directory);
    listening.end(directory);
  }

  /// A socket and what serves it.
  ///
  /// @param fileKey which file has the name `hub.sock`: the socket, or the link to it
  private record Listening(
      Path place,
      @Nullable Object fileKey,
      Server server,
      EventLoopGroup loop,
      ExecutorService callThreads) {
    static Listening open(Path directory, Administration administration) throws IOException {
      AdminSocket.checkFree(directory);
      Path place = AdminSocket.placeToBind(directory);
      EventLoopGroup loop =
          new MultiThreadIoEventLoopGroup(
              1, new DefaultThreadFactory("admin", true), NioIoHandler.newFactory());
      ExecutorService callThreads =
          Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("admin-call-", 0).factory());
      @Nullable Server server = null;
      boolean opened = false;
      try {
        server =
            NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(place))
                .channelType(NioServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                // grpc-java would set it, and Netty would warn: a UNIX socket has no such option.
                .withChildOption(ChannelOption.SO_KEEPALIVE, null)
                .executor(callThreads)
                .maxInboundMessageSize(MAX_REQUEST_BYTES)
                .addService(new AdminService(administration, callThreads))
                .build()
                .start();
        AdminSocket.publish(place, directory);
        Listening listening = new Listening(place, nameKey(directory), server, loop, callThreads);
        opened = true;
        return listening;
      } finally {
        if (!opened) {
          if (server != null) {
            server.shutdownNow();
          }
          var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
          callThreads.shutdownNow();
          AdminSocket.removePrivate(place);
        }
      }
    }

    private static @Nullable Object nameKey(Path directory) throws IOException {
      try {
        return Files.readAttributes(
                directory.resolve(AdminSocket.NAME),
                BasicFileAttributes.class,
                LinkOption.NOFOLLOW_LINKS)
            .fileKey();
      } catch (NoSuchFileException deleted) {
        return null;
      }
    }

    boolean isNamed(Path directory) throws IOException {
      return fileKey != null
          && fileKey.equals(nameKey(directory))
          // The name can be a link to a socket elsewhere, which somebody has deleted.
          && Files.exists(directory.resolve(AdminSocket.NAME));
    }

    /// Not of one that was replaced: a file system gives a deleted link's number to the next one.
    void removeName(Path directory) {
      try {
        if (isNamed(directory)) {
          Files.deleteIfExists(directory.resolve(AdminSocket.NAME));
        }
      } catch (IOException leftBehind) {
        warn(leftBehind);
      }
    }

    private static void warn(IOException leftBehind) {
      // The next hub replaces it, since nobody listens there.
      Events.warning("admin_socket_left_behind", "reason", String.valueOf(leftBehind.getMessage()));
    }

    /// Ends calls that run after one second.
    void end(Path directory) {
      try {
        if (!place.startsWith(directory)) {
          AdminSocket.removePrivate(place);
        }
      } catch (IOException leftBehind) {
        warn(leftBehind);
      }
      server.shutdown();
      try {
        if (!server.awaitTermination(LAST_CALLS.toMillis(), TimeUnit.MILLISECONDS)) {
          server.shutdownNow();
        }
      } catch (InterruptedException interrupted) {
        server.shutdownNow();
        Thread.currentThread().interrupt();
      }
      callThreads.shutdownNow();
      var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
