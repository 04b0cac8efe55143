package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.OperatorMessages.MetricsRequest;
import com.datanadhi.echopost.control.OperatorMessages.StatusRequest;
import com.datanadhi.echopost.control.OperatorProtocol;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedBatch;
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

/// A connection to the living agent of a directory, over its socket. For one thread.
public final class AgentClient implements AutoCloseable {
  /// Longer than the agent waits for a foreign lock on its buffer.
  private static final long PATIENCE_SECONDS = 30;

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

  /// Connects.
  ///
  /// @return null when nobody listens at `socket`
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

  /// Has the agent do the next slice of `sweep`.
  ///
  /// @return null when the agent went away before it answered; what it may have done all the same
  ///   is not done twice when another is asked
  /// @throws StorageException when the agent refused
  RejectedBatch.@Nullable Slice sweep(RejectedBatch sweep) throws StorageException {
    return call(OperatorProtocol.method(sweep.action()), sweep);
  }

  /// Has the agent store `batch`, unless it has it already.
  ///
  /// @return how many records it stored; null when it went away before it answered
  /// @throws StorageException when it refused
  @Nullable Integer store(ImportBatch batch) throws StorageException {
    return call(OperatorProtocol.IMPORT, batch);
  }

  /// How the agent is doing.
  ///
  /// @return null when it went away before it answered
  /// @throws StorageException when it refused
  public @Nullable AgentStatus status() throws StorageException {
    return call(OperatorProtocol.STATUS, new StatusRequest());
  }

  /// All that the agent measures, as text.
  ///
  /// @return null when it went away before it answered
  /// @throws StorageException when it refused
  public @Nullable String metrics(boolean openMetrics) throws StorageException {
    return call(OperatorProtocol.METRICS, new MetricsRequest(openMetrics));
  }

  private <Q, A> @Nullable A call(MethodDescriptor<Q, A> method, Q request)
      throws StorageException {
    try {
      return ClientCalls.blockingUnaryCall(
          channel,
          method,
          CallOptions.DEFAULT.withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS),
          request);
    } catch (StatusRuntimeException failed) {
      Status status = failed.getStatus();
      String why =
          switch (status.getCode()) {
            case UNAVAILABLE, CANCELLED -> null;
            case UNIMPLEMENTED ->
                "the living agent is of an older version and cannot do this: stop it, and try"
                    + " again";
            case DEADLINE_EXCEEDED ->
                "the living agent has not answered for " + PATIENCE_SECONDS + " s";
            default -> "the living agent could not do it: " + status.getDescription();
          };
      if (why == null) {
        return null;
      }
      throw new StorageException(why, failed);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
