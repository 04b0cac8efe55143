package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.grpc.ClientConnection;
import com.datanadhi.echopost.grpc.GrpcApplication;
import com.datanadhi.echopost.grpc.GrpcMethod;
import com.datanadhi.echopost.grpc.GrpcServer;
import com.datanadhi.echopost.grpc.SocketListener;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.internal.ThreadExecutorMap;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The floor of ingest, as a program: the same gRPC service, with one event loop that accepts and
/// one that works, which stores nothing and answers success after each read from a connection. It
/// runs on the agent's own gRPC server or on grpc-java's server.
///
/// Its marshallers do less than the agent's: the bytes of a request are not parsed, and the
/// response is a constant.
final class NoOpService implements ServerCallHandler<byte[], byte[]>, GrpcApplication {
  /// The server that runs the service.
  enum ServerStack {
    ECHOPOST("no-op service"),
    GRPC_JAVA("no-op service, grpc-java's server");

    private final String floorName;

    ServerStack(String floorName) {
      this.floorName = floorName;
    }

    /// The subject of its values.
    String floorName() {
      return floorName;
    }
  }

  private static final String SERVICE = "logagent.LogAgent";
  private static final String SEND_LOG = SERVICE + "/SendLog";

  /// Higher than the benchmarks need.
  private static final int MAX_MESSAGE_BYTES = 5 << 20;

  private static final int MAX_STREAMS = 24_576;

  /// `LogResponse{success: true, message: "stored"}` on the wire.
  private static final byte[] STORED =
      "\u0008\u0001\u0012\u0006stored".getBytes(StandardCharsets.ISO_8859_1);

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException unexpected) {
        throw new UncheckedIOException(unexpected);
      }
    }
  }

  // Accessed only on the event loop.
  private final List<ServerCall<byte[], byte[]>> unanswered = new ArrayList<>();

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
    call.request(2);
    return new ServerCall.Listener<>() {
      @Override
      public void onHalfClose() {
        unanswered.add(call);
        if (unanswered.size() == 1) {
          // Deferred: Netty has not processed the end of the call yet, so that an answer from here
          // would be three writes instead of one (docs/adr/0019).
          Objects.requireNonNull(ThreadExecutorMap.currentExecutor())
              .execute(NoOpService.this::answer);
        }
      }
    };
  }

  private void answer() {
    for (ServerCall<byte[], byte[]> call : unanswered) {
      call.sendHeaders(new Metadata());
      call.sendMessage(STORED);
      call.close(Status.OK, new Metadata());
    }
    unanswered.clear();
  }

  private final GrpcMethod<byte[], byte[]> sendLog =
      new GrpcMethod<>(
          MethodDescriptor.newBuilder(new Bytes(), new Bytes())
              .setType(MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(SEND_LOG)
              .build(),
          this,
          MAX_MESSAGE_BYTES,
          MAX_MESSAGE_BYTES,
          false);

  @Override
  public @Nullable GrpcMethod<?, ?> method(String fullName) {
    return fullName.equals(SEND_LOG) ? sendLog : null;
  }

  @Override
  public void connectionClosed(ClientConnection connection) {
    // There is no state per connection.
  }

  private void serveByEchoPost(Path socket) throws IOException, InterruptedException {
    Transport transport = Transport.ofThisSystem();
    SocketListener _ =
        new GrpcServer(
                transport,
                transport.newEventLoop("accept"),
                transport.newEventLoop("no-op").next(),
                MAX_STREAMS,
                Clock.system())
            .listen(socket, this);
  }

  private void serveByGrpcJava(Path socket) throws IOException {
    Transport transport = Transport.ofThisSystem();
    Server _ =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .channelFactory(transport::newListener)
            .bossEventLoopGroup(transport.newEventLoop("accept"))
            .workerEventLoopGroup(transport.newEventLoop("no-op"))
            .directExecutor()
            // UNIX sockets do not have this option.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .addService(
                ServerServiceDefinition.builder(SERVICE)
                    .addMethod(sendLog.descriptor(), this)
                    .build())
            .build()
            .start();
  }

  /// A running no-op service.
  ///
  /// @param process its own process
  record Running(Process process, Path directory, Path socket) {}

  /// Starts the service in a new process, and returns once it is ready.
  static Running start(TestBed testBed, ServerStack stack) throws IOException {
    Path directory = testBed.newDirectory();
    Path socket = directory.resolve("no-op.sock");
    Process process = testBed.startFloor(NoOpService.class, stack.name(), socket.toString());
    if (process.getInputStream().read() < 0) {
      throw new IOException("the no-op service did not start");
    }
    return new Running(process, directory, socket);
  }

  /// `NoOpService STACK SOCKET`: prints a line when it is ready, and serves until its standard
  /// input ends.
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path socket = Path.of(arguments[1]);
    NoOpService service = new NoOpService();
    switch (ServerStack.valueOf(arguments[0])) {
      case ECHOPOST -> service.serveByEchoPost(socket);
      case GRPC_JAVA -> service.serveByGrpcJava(socket);
    }
    System.out.println("serving");
    long _ = System.in.transferTo(OutputStream.nullOutputStream());
    System.exit(0);
  }
}
