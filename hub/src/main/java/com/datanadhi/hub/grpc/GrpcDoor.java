package com.datanadhi.hub.grpc;

import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING;
import static io.grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING;

import com.datanadhi.hub.control.ApiKeys;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.proto.HubGrpc;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.tls.TlsFiles;
import com.datanadhi.hub.tls.TlsSettings;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptors;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.opentelemetry.proto.collector.logs.v1.LogsServiceGrpc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Receives and answers gRPC calls: `hub.v1.Hub` and OTLP's `LogsService`, with an API key, and
/// `grpc.health.v1.Health`, without one. Listens from construction to [#close].
public final class GrpcDoor implements AutoCloseable {
  /// The largest request, packed and unpacked.
  public static final int MAX_MESSAGE = 9 * 1024 * 1024;

  /// The largest metadata of a request.
  public static final int MAX_METADATA = 64 * 1024;

  private static final int MAX_CALLS_PER_CONNECTION = 256;
  private static final int RESETS_PER_WINDOW = 3_000;
  private static final int RESET_WINDOW_SECONDS = 30;
  private static final long HEALTH_MILLIS = 200;
  private static final long TLS_MILLIS = 2_000;
  private static final long STALL_MILLIS = 1_000;
  private static final Duration STOP = Duration.ofSeconds(7);
  private static final long LOOP_STOP_MILLIS = 500;

  private static final Duration STEP = Duration.ofMillis(200);

  private final Clock clock = Clock.system();
  private final AtomicInteger openCalls = new AtomicInteger();
  private final Stopping stopping = new Stopping();
  private final Arrival.Arrivals arrivals = new Arrival.Arrivals();
  private final HealthStatusManager health = new HealthStatusManager();
  private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("grpc-timer", true));
  private final EventLoopGroup loops;
  private final Server server;
  private final BooleanSupplier ready;
  private @Nullable Boolean shownReady;

  /// @param ready whether an append would be accepted now
  /// @throws IOException it cannot listen, or the TLS files are unusable
  public GrpcDoor(
      GrpcSettings settings,
      ApiKeys keys,
      Appends appends,
      Admission admission,
      Queries queries,
      BooleanSupplier ready)
      throws IOException {
    this.ready = ready;
    boolean epoll = Epoll.isAvailable();
    this.loops =
        new MultiThreadIoEventLoopGroup(
            new DefaultThreadFactory("grpc-loop", true),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    ConnectionBound connections = new ConnectionBound(settings.maxConnections(), clock);
    Caller.Check check = new Caller.Check(keys, admission, stopping, connections);
    HubService service = new HubService(appends, admission, queries, stopping);
    OtlpService otlp = new OtlpService(appends, admission);
    try {
      this.server =
          NettyServerBuilder.forAddress(settings.address(), credentials(settings.tls()))
              .channelFactory(() -> listener(epoll, connections))
              .bossEventLoopGroup(loops)
              .workerEventLoopGroup(loops)
              .executor(calls)
              .addStreamTracerFactory(arrivals)
              .maxInboundMessageSize(MAX_MESSAGE)
              .maxInboundMetadataSize(MAX_METADATA)
              .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
              .maxRstFramesPerWindow(RESETS_PER_WINDOW, RESET_WINDOW_SECONDS)
              .handshakeTimeout(10, TimeUnit.SECONDS)
              .keepAliveTime(30, TimeUnit.SECONDS)
              .keepAliveTimeout(10, TimeUnit.SECONDS)
              .permitKeepAliveTime(5, TimeUnit.SECONDS)
              .permitKeepAliveWithoutCalls(true)
              .maxConnectionIdle(60, TimeUnit.SECONDS)
              .addService(ServerInterceptors.intercept(service.definition(), check))
              .addService(ServerInterceptors.intercept(otlp.definition(), check))
              .addStreamTracerFactory(new CallCounter(openCalls))
              .addService(health.getHealthService())
              .build()
              .start();
    } catch (IOException | RuntimeException failed) {
      stopThreads();
      throw failed;
    }
    showHealth();
    var _ =
        timer.scheduleWithFixedDelay(
            this::showHealth, HEALTH_MILLIS, HEALTH_MILLIS, TimeUnit.MILLISECONDS);
    var _ =
        timer.scheduleWithFixedDelay(
            () -> arrivals.turn(Clock.system().nanoTime()),
            STALL_MILLIS,
            STALL_MILLIS,
            TimeUnit.MILLISECONDS);
    Events.info("grpc_listening", "port", server.getPort(), "transport", epoll ? "epoll" : "nio");
  }

  private static ServerChannel listener(boolean epoll, ConnectionBound connections) {
    ServerChannel channel = epoll ? new EpollServerSocketChannel() : new NioServerSocketChannel();
    channel.pipeline().addFirst(connections);
    return channel;
  }

  private ServerCredentials credentials(@Nullable TlsSettings tls) throws IOException {
    if (tls == null) {
      return InsecureServerCredentials.create();
    }
    AdvancedTlsX509KeyManager manager = new AdvancedTlsX509KeyManager();
    TlsFiles files = new TlsFiles(tls, "grpc", manager::updateIdentityCredentials);
    var _ =
        timer.scheduleWithFixedDelay(files::turn, TLS_MILLIS, TLS_MILLIS, TimeUnit.MILLISECONDS);
    return TlsServerCredentials.newBuilder().keyManager(manager).build();
  }

  /// Where it listens.
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getListenSockets().getFirst();
  }

  private void showHealth() {
    boolean now = ready.getAsBoolean();
    if (shownReady == null || shownReady != now) {
      shownReady = now;
      var status = now ? SERVING : NOT_SERVING;
      health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
      health.setStatus(HubGrpc.SERVICE_NAME, status);
      health.setStatus(LogsServiceGrpc.SERVICE_NAME, status);
    }
  }

  /// Refuses new calls, ends streams once what they have received is answered, waits for calls in
  /// progress, and closes the connections. Takes at most 10 s. A second call returns at once.
  @Override
  public void close() {
    if (!stopping.begin()) {
      return;
    }
    health.enterTerminalState();
    server.shutdown();
    try {
      // A connection without a call, such as one that never sent a preface, is not waited for.
      long deadline = clock.nanoTime() + STOP.toNanos();
      while (!server.awaitTermination(STEP.toMillis(), TimeUnit.MILLISECONDS)
          && openCalls.get() > 0
          && clock.nanoTime() - deadline < 0) {
        // The calls end by themselves.
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    server.shutdownNow();
    stopThreads();
  }

  private void stopThreads() {
    timer.shutdownNow();
    calls.shutdown();
    loops.shutdownGracefully(0, LOOP_STOP_MILLIS, TimeUnit.MILLISECONDS).awaitUninterruptibly();
  }
}
