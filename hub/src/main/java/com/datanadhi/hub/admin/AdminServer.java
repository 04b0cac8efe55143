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
  private final Path place;
  private final @Nullable Object fileKey;
  private final Server server;
  private final EventLoopGroup loop;
  private final ExecutorService callThreads;

  private AdminServer(
      Path directory, Path place, Server server, EventLoopGroup loop, ExecutorService callThreads)
      throws IOException {
    this.directory = directory;
    this.place = place;
    this.server = server;
    this.loop = loop;
    this.callThreads = callThreads;
    this.fileKey = fileKey(directory.resolve(AdminSocket.NAME));
  }

  /// Begins to serve. A socket that nobody listens at is replaced.
  ///
  /// @param dataDirectory DIR
  /// @throws IOException another process listens there, or the socket cannot be made; the message
  ///   says which
  public static AdminServer open(Path dataDirectory, Administration administration)
      throws IOException {
    Path directory = dataDirectory.toAbsolutePath().normalize();
    AdminSocket.checkFree(directory);
    Path place = AdminSocket.placeToBind(directory);
    EventLoopGroup loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("admin", true), NioIoHandler.newFactory());
    ExecutorService callThreads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("admin-call-", 0).factory());
    boolean opened = false;
    try {
      Server server =
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
      AdminServer admin = new AdminServer(directory, place, server, loop, callThreads);
      opened = true;
      return admin;
    } finally {
      if (!opened) {
        var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        callThreads.shutdownNow();
        AdminSocket.removePrivate(place);
      }
    }
  }

  /// Whether a process serves the socket of this data directory.
  public static boolean isServed(Path dataDirectory) throws IOException {
    UnixDomainSocketAddress address = AdminSocket.address(dataDirectory.toRealPath());
    return address != null && AdminSocket.isListening(address);
  }

  private static @Nullable Object fileKey(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  /// Removes the socket, if it is still this one's, and ends calls that run after one second.
  @Override
  public void close() {
    try {
      Path socket = directory.resolve(AdminSocket.NAME);
      if (fileKey != null && fileKey.equals(fileKey(socket))) {
        Files.deleteIfExists(socket);
      }
      if (!place.startsWith(directory)) {
        AdminSocket.removePrivate(place);
      }
    } catch (IOException leftBehind) {
      // The next hub replaces it, since nobody listens there.
      Events.warning("admin_socket_left_behind", "reason", String.valueOf(leftBehind.getMessage()));
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
