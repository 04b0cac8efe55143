package com.datanadhi.echopost.grpc;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// A gRPC server on Netty's HTTP/2, for UNIX sockets (docs/adr/0019). Start reading here.
///
/// The server implements HTTP/2, gRPC's framing and the limits of memory. It is independent of the
/// methods that it serves: these belong to a [GrpcApplication], whose handlers are io.grpc's
/// `ServerCallHandler`. The path of the bytes: [SocketListener] accepts a connection,
/// [ClientConnection] decides whether it is read, [GrpcConnectionHandler] turns frames into calls,
/// [GrpcCall] turns a call's bytes into messages, and `ResponseWriter` writes the response.
///
/// One event loop serves all connections; accepting has a loop of its own. Unless documented
/// otherwise, a method of this class has to be called on the event loop that serves.
///
/// Two internal APIs of grpc-java are used, since it has no public way to turn `Metadata` and
/// `Status` into HTTP/2 headers and back: `io.grpc.InternalMetadata` (`newMetadata`, `serialize`)
/// and `io.grpc.InternalStatus` (`CODE_KEY`, `MESSAGE_KEY`). Everything else is public API.
public final class GrpcServer {
  private final Transport transport;
  private final EventLoopGroup acceptLoop;
  private final EventLoop loop;
  private final Clock clock;
  private final ConnectionLimits connections;

  /// Any thread.
  ///
  /// @param acceptLoop accepts connections
  /// @param loop serves them
  /// @param maxStreams the limit of open streams on all connections. While it is reached, nothing
  ///   is read, and clients that do not read their responses are disconnected
  public GrpcServer(
      Transport transport, EventLoopGroup acceptLoop, EventLoop loop, int maxStreams, Clock clock) {
    this.transport = transport;
    this.acceptLoop = acceptLoop;
    this.loop = loop;
    this.clock = clock;
    this.connections = new ConnectionLimits(loop, maxStreams, clock);
  }

  /// Binds `socket` and serves `application` on it. Any thread.
  ///
  /// @throws IOException if the socket cannot be bound
  public SocketListener listen(Path socket, GrpcApplication application)
      throws IOException, InterruptedException {
    return SocketListener.open(
        socket, transport, acceptLoop, loop, connections, application, clock);
  }

  /// The event loop that serves. Any thread.
  public EventLoop loop() {
    return loop;
  }

  /// Starts or stops reading from all connections: back-pressure of the application. While nothing
  /// is read, the kernel's socket buffers and HTTP/2 flow control hold the clients back.
  public void setReading(boolean reading) {
    connections.setReading(reading);
  }

  /// Does the upkeep that depends on time alone, once the loop has read what there is to read:
  /// closes connections of slow readers and, if there is a need, idle ones. Has to be called
  /// several times a second.
  ///
  /// The delay matters: the loop can have been busy for a second, and a client whose bytes it has
  /// not read yet is not idle. It runs a scheduled task after it has read, an executed one before
  /// that.
  ///
  /// @param makeRoom whether new connections wait for one to be closed
  /// @param after the application's upkeep, run after the server's
  public void tickSoon(boolean makeRoom, Runnable after) {
    var _ =
        loop.schedule(
            () -> {
              connections.tick(makeRoom);
              after.run();
            },
            0,
            TimeUnit.NANOSECONDS);
  }

  /// The time since the upkeep last ran, in nanoseconds. Any thread.
  public long nanosSinceTick() {
    return connections.nanosSinceTick();
  }

  /// Whether there is a connection on which no call has started yet and that was last used less
  /// than `nanos` ago: its first call may be on the way.
  public boolean hasNewConnection(long nanos) {
    return connections.hasNewConnection(nanos);
  }
}
