package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.echopost.AgentCalls.StatusReply;
import com.datanadhi.sdk.internal.echopost.AgentCalls.StoreReply;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.InsecureChannelCredentials;
import io.grpc.LoadBalancerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.internal.PickFirstLoadBalancerProvider;
import io.grpc.okhttp.OkHttpChannelBuilder;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The gRPC connection to the agent of a directory. All records of one {@link #send} use the same
 * connection; if it ends, the rest of them fail, and the next {@code send} opens a new one.
 * Thread-safe.
 */
final class AgentChannel implements AutoCloseable {
  private static final Metadata.Key<String> IDEMPOTENCY_KEY =
      Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

  static {
    // In a named module gRPC does not find its own load balancer as a service.
    LoadBalancerRegistry.getDefaultRegistry().register(new PickFirstLoadBalancerProvider());
  }

  private final Path socket;
  private final String apiKey;
  private final ServerName server;
  private final Duration deadline;
  private final ExecutorService io;
  private final ScheduledExecutorService timer;
  private final Clock clock;
  private UnixSocketFactory connection;
  private @Nullable ManagedChannel channel;
  private @Nullable ManagedChannel checked;
  private boolean closed;
  private volatile Optional<ServerName> otherServer = Optional.empty();

  /**
   * @param server no record is sent to an agent that delivers to another one
   * @param deadline of each call, and for opening the connection
   */
  AgentChannel(
      Path socket,
      String apiKey,
      ServerName server,
      Duration deadline,
      ExecutorService io,
      ScheduledExecutorService timer,
      Clock clock) {
    this.socket = socket;
    this.connection = new UnixSocketFactory(socket);
    this.apiKey = apiKey;
    this.server = server;
    this.deadline = deadline;
    this.io = io;
    this.timer = timer;
    this.clock = clock;
  }

  /**
   * Sends the records in order, each without waiting for the response to the one before. Returns
   * when every call has completed or reached its deadline.
   *
   * @return the status of each record, in the same order; {@code UNAVAILABLE} if there was no
   *     connection to an agent or it was lost
   */
  List<Status> send(List<OutgoingRecord> records) throws InterruptedException {
    ManagedChannel ready = connect();
    if (ready == null) {
      return records.stream()
          .map(r -> Status.UNAVAILABLE.withDescription("no agent accepts connections"))
          .toList();
    }
    Status usable = checkServer(ready);
    if (!usable.isOk()) {
      disconnect(ready);
      return records.stream().map(r -> usable).toList();
    }
    List<CompletableFuture<Status>> responses = new ArrayList<>(records.size());
    for (OutgoingRecord record : records) {
      responses.add(startCall(ready, record));
    }
    List<Status> statuses = new ArrayList<>(records.size());
    for (CompletableFuture<Status> response : responses) {
      statuses.add(await(response));
    }
    if (statuses.stream().anyMatch(s -> s.getCode() == Status.Code.UNAVAILABLE)) {
      disconnect(ready);
    }
    return statuses;
  }

  /** The server of the agent, if that is another one than this channel's. */
  Optional<ServerName> otherServer() {
    return otherServer;
  }

  /**
   * Asks the agent for its server, once per connection. An agent that does not tell it is used:
   * older ones do not, nor those of other users.
   */
  @SuppressWarnings("ReferenceEquality") // a new connection is another object
  private Status checkServer(ManagedChannel ready) throws InterruptedException {
    synchronized (this) {
      if (checked == ready) {
        return Status.OK;
      }
    }
    CompletableFuture<Status> result = new CompletableFuture<>();
    ClientCall<byte[], StatusReply> call =
        ready.newCall(
            AgentCalls.STATUS,
            CallOptions.DEFAULT.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS));
    call.start(new ServerListener(result), new Metadata());
    call.request(2);
    call.sendMessage(AgentCalls.statusRequest());
    call.halfClose();
    Status usable = await(result);
    if (usable.isOk()) {
      synchronized (this) {
        checked = ready;
      }
    }
    return usable;
  }

  private CompletableFuture<Status> startCall(ManagedChannel agent, OutgoingRecord record) {
    CompletableFuture<Status> response = new CompletableFuture<>();
    ClientCall<byte[], StoreReply> call =
        agent.newCall(
            AgentCalls.SEND_LOG,
            CallOptions.DEFAULT.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS));
    Metadata metadata = new Metadata();
    metadata.put(IDEMPOTENCY_KEY, record.key());
    call.start(new ResponseListener(response), metadata);
    call.request(2);
    call.sendMessage(AgentCalls.logRequest(record, apiKey));
    call.halfClose();
    return response;
  }

  private Status await(CompletableFuture<Status> response) throws InterruptedException {
    try {
      // gRPC ends each call at its deadline; this second limit is for an error in the transport.
      return response.get(2 * deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException impossible) {
      return Status.fromThrowable(impossible);
    } catch (TimeoutException stuck) {
      return Status.DEADLINE_EXCEEDED;
    }
  }

  /**
   * Returns a channel that is ready, because calls that start earlier could be sent in another
   * order. Null if no agent listens, or the connection is not ready within the deadline.
   */
  private @Nullable ManagedChannel connect() throws InterruptedException {
    ManagedChannel current = currentChannel();
    if (current == null) {
      return null;
    }
    long end = clock.nanos() + deadline.toNanos();
    while (true) {
      ConnectivityState state = current.getState(true);
      if (state == ConnectivityState.READY) {
        return current;
      }
      if (state == ConnectivityState.TRANSIENT_FAILURE
          || state == ConnectivityState.SHUTDOWN
          || clock.nanos() - end > 0) {
        disconnect(current);
        return null;
      }
      CompletableFuture<Void> changed = new CompletableFuture<>();
      current.notifyWhenStateChanged(state, () -> changed.complete(null));
      try {
        changed.get(100, TimeUnit.MILLISECONDS);
      } catch (TimeoutException | ExecutionException unchanged) {
        // The loop reads the state again.
      }
    }
  }

  /** The channel, or a new one if its connection has ended; null if this object is closed. */
  private synchronized @Nullable ManagedChannel currentChannel() {
    if (closed) {
      return null;
    }
    ManagedChannel current = channel;
    if (current != null
        && connection.isUsed()
        && current.getState(false) == ConnectivityState.IDLE) {
      // The connection has ended. An agent that shuts down may still answer calls on it: so they
      // are not cancelled.
      current.shutdown();
      current = null;
    }
    if (current == null) {
      connection = new UnixSocketFactory(socket);
      current =
          OkHttpChannelBuilder.forTarget(
                  LoopbackResolver.TARGET, InsecureChannelCredentials.create())
              .socketFactory(connection)
              .overrideAuthority("localhost")
              .proxyDetector(address -> null)
              .directExecutor()
              .transportExecutor(io)
              .scheduledExecutorService(timer)
              .idleTimeout(30, TimeUnit.MINUTES)
              .disableRetry()
              .build();
      channel = current;
    }
    return current;
  }

  @SuppressWarnings("ReferenceEquality") // another thread may have opened another channel
  private synchronized void disconnect(ManagedChannel lost) {
    lost.shutdownNow();
    if (channel == lost) {
      channel = null;
      checked = null;
    }
  }

  /** Closes the connection; calls that run fail. */
  @Override
  public synchronized void close() {
    closed = true;
    if (channel != null) {
      disconnect(channel);
    }
  }

  /** Completes a future with OK unless the agent is lost or has another server. */
  private final class ServerListener extends ClientCall.Listener<StatusReply> {
    private final CompletableFuture<Status> completed;
    private String url = "";

    ServerListener(CompletableFuture<Status> completed) {
      this.completed = completed;
    }

    @Override
    public void onMessage(StatusReply message) {
      url = message.server();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      switch (status.getCode()) {
        case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> completed.complete(status);
        default -> completed.complete(compare());
      }
    }

    private Status compare() {
      if (url.isEmpty() || url.equals(server.url())) {
        return Status.OK;
      }
      ServerName other;
      try {
        other = ServerName.of(URI.create(url));
      } catch (IllegalArgumentException unknown) {
        return Status.OK;
      }
      if (other.equals(server)) {
        return Status.OK;
      }
      otherServer = Optional.of(other);
      return Status.UNAVAILABLE.withDescription("the agent delivers to " + other.url());
    }
  }

  /** Completes a future with the status of a call, for which it needs message and trailers. */
  private static final class ResponseListener extends ClientCall.Listener<StoreReply> {
    private final CompletableFuture<Status> completed;
    private @Nullable StoreReply response;

    ResponseListener(CompletableFuture<Status> completed) {
      this.completed = completed;
    }

    @Override
    public void onMessage(StoreReply message) {
      response = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      StoreReply received = response;
      if (status.isOk() && (received == null || !received.success())) {
        // Some agents report an error in the response and complete the call with OK.
        status =
            Status.INTERNAL.withDescription(
                received == null ? "the agent sent no response" : received.message());
      }
      completed.complete(status);
    }
  }
}
