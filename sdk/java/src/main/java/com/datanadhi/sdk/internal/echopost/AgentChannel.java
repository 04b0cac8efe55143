package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
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
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The one connection to the agent of a directory. What is sent together goes by one connection, or
 * fails from some record on: it is made anew for what is sent next. Thread-safe.
 */
final class AgentChannel implements AutoCloseable {
  private static final Metadata.Key<String> IDEMPOTENCY_KEY =
      Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

  static {
    // gRPC's own are no services in a module that does not provide them.
    LoadBalancerRegistry.getDefaultRegistry().register(new PickFirstLoadBalancerProvider());
  }

  private final Path socket;
  private final String apiKey;
  private final Duration deadline;
  private final ExecutorService io;
  private final ScheduledExecutorService timer;
  private UnixSocketFactory connection;
  private @Nullable ManagedChannel channel;
  private boolean closed;

  AgentChannel(
      Path socket,
      String apiKey,
      Duration deadline,
      ExecutorService io,
      ScheduledExecutorService timer) {
    this.socket = socket;
    this.connection = new UnixSocketFactory(socket);
    this.apiKey = apiKey;
    this.deadline = deadline;
    this.io = io;
    this.timer = timer;
  }

  /**
   * Sends them in order, without waiting for the answer to one before the next; returns their
   * statuses, in the same order, when all are answered or the deadline is over. {@code UNAVAILABLE}
   * is said of those that found no agent, or lost it.
   */
  List<Status> send(List<OutgoingRecord> entries) throws InterruptedException {
    ManagedChannel agent = connected();
    if (agent == null) {
      return entries.stream()
          .map(e -> Status.UNAVAILABLE.withDescription("no agent answers"))
          .toList();
    }
    List<CompletableFuture<Status>> answers = new ArrayList<>(entries.size());
    for (OutgoingRecord entry : entries) {
      answers.add(begin(agent, entry));
    }
    List<Status> statuses = new ArrayList<>(entries.size());
    for (CompletableFuture<Status> answer : answers) {
      statuses.add(await(answer));
    }
    if (statuses.stream().anyMatch(s -> s.getCode() == Status.Code.UNAVAILABLE)) {
      disconnect(agent);
    }
    return statuses;
  }

  private CompletableFuture<Status> begin(ManagedChannel agent, OutgoingRecord entry) {
    CompletableFuture<Status> answer = new CompletableFuture<>();
    ClientCall<LogRequest, LogResponse> call =
        agent.newCall(
            LogAgentGrpc.getSendLogMethod(),
            CallOptions.DEFAULT.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS));
    Metadata metadata = new Metadata();
    metadata.put(IDEMPOTENCY_KEY, entry.key());
    call.start(new ResponseListener(answer), metadata);
    call.request(2);
    call.sendMessage(
        LogRequest.newBuilder()
            .setJsonData(entry.json())
            .addAllPipelines(entry.pipelines())
            .setApiKey(apiKey)
            .build());
    call.halfClose();
    return answer;
  }

  private Status await(CompletableFuture<Status> answer) throws InterruptedException {
    try {
      // The deadline ends each call; twice that is for a transport that does not keep it.
      return answer.get(2 * deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException impossible) {
      return Status.fromThrowable(impossible);
    } catch (TimeoutException stuck) {
      return Status.DEADLINE_EXCEEDED;
    }
  }

  /**
   * A channel that is ready: calls begun before that would be sent in whatever order. Null when
   * nobody listens, which shows at once, or whoever does says nothing until the deadline.
   */
  private @Nullable ManagedChannel connected() throws InterruptedException {
    ManagedChannel made = channel();
    if (made == null) {
      return null;
    }
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      ConnectivityState state = made.getState(true);
      if (state == ConnectivityState.READY) {
        return made;
      }
      if (state == ConnectivityState.TRANSIENT_FAILURE
          || state == ConnectivityState.SHUTDOWN
          || System.nanoTime() - end > 0) {
        disconnect(made);
        return null;
      }
      CompletableFuture<Void> changed = new CompletableFuture<>();
      made.notifyWhenStateChanged(state, () -> changed.complete(null));
      try {
        changed.get(100, TimeUnit.MILLISECONDS);
      } catch (TimeoutException | ExecutionException again) {
        // Looked at again above.
      }
    }
  }

  private synchronized @Nullable ManagedChannel channel() {
    if (closed) {
      return null;
    }
    ManagedChannel known = channel;
    if (known != null && connection.isUsed() && known.getState(false) == ConnectivityState.IDLE) {
      // Its connection has ended. Calls that an agent which leaves still answers are let end.
      known.shutdown();
      known = null;
    }
    if (known == null) {
      connection = new UnixSocketFactory(socket);
      known =
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
      channel = known;
    }
    return known;
  }

  @SuppressWarnings("ReferenceEquality") // another thread may have made another one
  private synchronized void disconnect(ManagedChannel lost) {
    lost.shutdownNow();
    if (channel == lost) {
      channel = null;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (channel != null) {
      disconnect(channel);
    }
  }

  /** Puts the two halves of an answer together. */
  private static final class ResponseListener extends ClientCall.Listener<LogResponse> {
    private final CompletableFuture<Status> answer;
    private @Nullable LogResponse response;

    ResponseListener(CompletableFuture<Status> answer) {
      this.answer = answer;
    }

    @Override
    public void onMessage(LogResponse message) {
      response = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      LogResponse said = response;
      if (status.isOk() && (said == null || !said.getSuccess())) {
        // Agents that say so instead of failing the call.
        status = Status.INTERNAL.withDescription(said == null ? "no answer" : said.getMessage());
      }
      answer.complete(status);
    }
  }
}
