package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.OperatorMessages.MetricsRequest;
import com.datanadhi.echopost.control.OperatorMessages.StatusRequest;
import com.datanadhi.echopost.control.OperatorProtocol;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A connection to the running agent of a directory, over its socket. Not thread-safe.
public final class AgentClient implements AutoCloseable {
  /// Longer than the agent waits for a lock that another process holds on its buffer.
  private static final long BATCH_TIMEOUT_SECONDS = 30;

  /// Only an agent that stops working meanwhile takes so long for a query, since it has sent its
  /// first bytes before.
  private static final long QUERY_TIMEOUT_SECONDS = 10;

  /// For the first bytes of an agent. A busy one takes milliseconds, and a command has to end
  /// within 3 s if it does not answer.
  private static final Duration SILENCE = Duration.ofMillis(1_500);

  private static final Duration RETRY = Duration.ofMillis(5);

  /// The client's preface of HTTP/2 and empty SETTINGS (RFC 9113, 3.4), which a server answers with
  /// its own SETTINGS.
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);

  /// The longest path, in bytes, to which Java's own channels connect; Netty's connect to one more.
  private static final int LONGEST_FOR_JAVA = 106;

  private final EventLoopGroup loop;
  private final ManagedChannel channel;

  private AgentClient(Path socket) {
    Transport transport = Transport.ofThisSystem();
    transport.ensureAvailable();
    this.loop = transport.newEventLoop("operator");
    this.channel =
        NettyChannelBuilder.forAddress(new SocketAddress(socket))
            .overrideAuthority("localhost")
            .eventLoopGroup(loop)
            .channelFactory(transport.unixChannels())
            // grpc-java would set it; a UNIX socket has no such option.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .usePlaintext()
            .directExecutor()
            .build();
  }

  /// Connects to the agent of `directory`.
  ///
  /// @return null if no agent listens there
  /// @throws NoAnswerException if a process owns the directory, but sends nothing within 1.5 s
  /// @throws StorageException if the path of the socket is too long for this system
  public static @Nullable AgentClient connect(Path directory)
      throws StorageException, IOException, InterruptedException {
    Path socket = DirectoryLayout.socket(directory);
    if (!Files.exists(socket)) {
      return null;
    }
    checkLength(socket);
    String silence = silenceOf(socket);
    if (silence != null) {
      String pid = DirectoryLock.holder(directory);
      if (pid == null) {
        // Whoever listens there is not an agent.
        return null;
      }
      throw new NoAnswerException(
          (pid.isEmpty() ? "a process" : "process " + pid) + " owns the directory but " + silence);
    }
    AgentClient client = new AgentClient(socket);
    if (client.isConnected()) {
      return client;
    }
    client.close();
    return null;
  }

  /// Whether whoever listens at `socket` is silent. A bare connection finds out at once, while gRPC
  /// itself takes long to load on a busy machine. A full queue of connections may only be a crowd
  /// of clients, so this tries again.
  ///
  /// @return in words; null if it sends something, or nobody listens
  private static @Nullable String silenceOf(Path socket) throws InterruptedException {
    if (length(socket) > LONGEST_FOR_JAVA) {
      return null;
    }
    Clock clock = Clock.system();
    Waiter waiter = new Waiter();
    long deadline = clock.nanos() + SILENCE.toNanos();
    while (true) {
      try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX);
          Selector selector = Selector.open()) {
        probe.configureBlocking(false);
        if (probe.connect(UnixDomainSocketAddress.of(socket))) {
          int _ = probe.write(ByteBuffer.wrap(PREFACE));
          SelectionKey _ = probe.register(selector, SelectionKey.OP_READ);
          long left = Math.max(1, Duration.ofNanos(deadline - clock.nanos()).toMillis());
          return selector.select(left) > 0 ? null : "did not answer within 1.5 s";
        }
      } catch (ConnectException refused) {
        return null;
      } catch (IOException failed) {
        // For a full queue Linux has the error EAGAIN, for which Java has no exception of its own.
        if (!Files.isWritable(socket)) {
          return null;
        }
      }
      if (clock.nanos() - deadline >= 0) {
        return "accepts no connection, and too many wait for it";
      }
      waiter.await(RETRY);
    }
  }

  private static void checkLength(Path socket) throws StorageException {
    int longest = Transport.ofThisSystem().longestSocketPath();
    int length = length(socket);
    if (length > longest) {
      throw new StorageException(
          "the path of the socket has "
              + length
              + " bytes, a UNIX socket's path may have "
              + longest
              + ": change to the directory and add -datanadhi .");
    }
  }

  private static int length(Path socket) {
    return socket.toString().getBytes(StandardCharsets.UTF_8).length;
  }

  private boolean isConnected() throws InterruptedException {
    ConnectivityState state = channel.getState(true);
    while (state == ConnectivityState.IDLE || state == ConnectivityState.CONNECTING) {
      CountDownLatch changed = new CountDownLatch(1);
      channel.notifyWhenStateChanged(state, changed::countDown);
      if (!changed.await(BATCH_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        return false;
      }
      state = channel.getState(true);
    }
    return state == ConnectivityState.READY;
  }

  /// Lets the agent do the next batch of `range`, in one transaction.
  ///
  /// @return null if the agent exited before it answered. It may have done the batch; repeating the
  ///   call does not do it twice
  /// @throws StorageException if the agent returned an error
  RejectedRange.@Nullable Batch process(RejectedRange range) throws StorageException {
    return call(OperatorProtocol.method(range.action()), range, BATCH_TIMEOUT_SECONDS);
  }

  /// Lets the agent store `batch`, unless it is stored already.
  ///
  /// @return the number of records that were stored; null if the agent exited before it answered
  /// @throws StorageException if the agent returned an error
  @Nullable Integer store(ImportBatch batch) throws StorageException {
    return call(OperatorProtocol.IMPORT, batch, BATCH_TIMEOUT_SECONDS);
  }

  /// The status of the agent.
  ///
  /// @return null if the agent exited before it answered
  /// @throws StorageException if the agent returned an error
  public @Nullable AgentStatus status() throws StorageException {
    return call(OperatorProtocol.STATUS, new StatusRequest(), QUERY_TIMEOUT_SECONDS);
  }

  /// The metrics of the agent in Prometheus' text format.
  ///
  /// @param openMetrics whether the format is OpenMetrics instead
  /// @return null if the agent exited before it answered
  /// @throws StorageException if the agent returned an error
  public @Nullable String metrics(boolean openMetrics) throws StorageException {
    return call(OperatorProtocol.METRICS, new MetricsRequest(openMetrics), QUERY_TIMEOUT_SECONDS);
  }

  private <Q, A> @Nullable A call(MethodDescriptor<Q, A> method, Q request, long seconds)
      throws StorageException {
    try {
      return ClientCalls.blockingUnaryCall(
          channel,
          method,
          CallOptions.DEFAULT.withDeadlineAfter(seconds, TimeUnit.SECONDS),
          request);
    } catch (StatusRuntimeException failed) {
      Status status = failed.getStatus();
      // The agent was killed while the request was being written: gRPC reports UNKNOWN then.
      if (status.getCause() instanceof ClosedChannelException) {
        return null;
      }
      return switch (status.getCode()) {
        case UNAVAILABLE, CANCELLED -> null;
        case UNIMPLEMENTED ->
            throw new StorageException(
                "the running agent is an older version without this command: stop it and try again",
                failed);
        case DEADLINE_EXCEEDED ->
            throw new NoAnswerException("the running agent did not answer in time");
        default ->
            throw new StorageException(
                "the running agent returned an error: " + status.getDescription(), failed);
      };
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  /// Keeps its path out of the text from which gRPC makes a URI, which must not contain every
  /// character that a path may have.
  private static final class SocketAddress extends DomainSocketAddress {
    private static final long serialVersionUID = 1;

    SocketAddress(Path socket) {
      super(socket.toString());
    }

    @Override
    public String toString() {
      return "agent";
    }
  }
}
