package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.OperatorMessages.MetricsRequest;
import com.datanadhi.echopost.control.OperatorMessages.StatusRequest;
import com.datanadhi.echopost.control.OperatorProtocol;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
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
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A connection to the running agent of a directory, over its socket. Not thread-safe.
public final class AgentClient implements AutoCloseable {
  /// Longer than the agent waits for a lock that another process holds on its buffer.
  private static final long TIMEOUT_SECONDS = 30;

  private final EventLoopGroup loop;
  private final ManagedChannel channel;

  private AgentClient(Path socket) {
    Transport transport = Transport.ofThisSystem();
    transport.ensureAvailable();
    this.loop = transport.newEventLoop("operator");
    this.channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .overrideAuthority("localhost")
            .eventLoopGroup(loop)
            .channelFactory(transport.unixChannels())
            // grpc-java would set it; a UNIX socket has no such option.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .usePlaintext()
            .directExecutor()
            .build();
  }

  /// Connects to `socket`.
  ///
  /// @return null if no process listens there
  public static @Nullable AgentClient connect(Path socket) throws InterruptedException {
    AgentClient client = new AgentClient(socket);
    if (client.isConnected()) {
      return client;
    }
    client.close();
    return null;
  }

  private boolean isConnected() throws InterruptedException {
    ConnectivityState state = channel.getState(true);
    while (state == ConnectivityState.IDLE || state == ConnectivityState.CONNECTING) {
      CountDownLatch changed = new CountDownLatch(1);
      channel.notifyWhenStateChanged(state, changed::countDown);
      changed.await();
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
    return call(OperatorProtocol.method(range.action()), range);
  }

  /// Lets the agent store `batch`, unless it is stored already.
  ///
  /// @return the number of records that were stored; null if the agent exited before it answered
  /// @throws StorageException if the agent returned an error
  @Nullable Integer store(ImportBatch batch) throws StorageException {
    return call(OperatorProtocol.IMPORT, batch);
  }

  /// The status of the agent.
  ///
  /// @return null if the agent exited before it answered
  /// @throws StorageException if the agent returned an error
  public @Nullable AgentStatus status() throws StorageException {
    return call(OperatorProtocol.STATUS, new StatusRequest());
  }

  /// The metrics of the agent in Prometheus' text format.
  ///
  /// @param openMetrics whether the format is OpenMetrics instead
  /// @return null if the agent exited before it answered
  /// @throws StorageException if the agent returned an error
  public @Nullable String metrics(boolean openMetrics) throws StorageException {
    return call(OperatorProtocol.METRICS, new MetricsRequest(openMetrics));
  }

  private <Q, A> @Nullable A call(MethodDescriptor<Q, A> method, Q request)
      throws StorageException {
    try {
      return ClientCalls.blockingUnaryCall(
          channel,
          method,
          CallOptions.DEFAULT.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS),
          request);
    } catch (StatusRuntimeException failed) {
      Status status = failed.getStatus();
      String problem =
          switch (status.getCode()) {
            case UNAVAILABLE, CANCELLED -> null;
            case UNIMPLEMENTED ->
                "the running agent is an older version without this command: stop it and try again";
            case DEADLINE_EXCEEDED ->
                "the running agent did not answer within "
                    + TIMEOUT_SECONDS
                    + " s: see 'echopost logs'";
            default -> "the running agent returned an error: " + status.getDescription();
          };
      if (problem == null) {
        return null;
      }
      throw new StorageException(problem, failed);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
