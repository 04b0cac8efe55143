package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.grpc.GrpcServer;
import com.datanadhi.echopost.grpc.SocketListener;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// The ingest sibling: receives records over gRPC on the UNIX socket and appends them to the
/// buffer.
///
/// Its loop keeps the socket's public name in place and checks that no client waits forever. The
/// agent ends serving in steps: [#withdraw], [#finish], and [#publish] again if there is more to
/// do. All methods may be called from any thread; those that change something exclude each other.
public final class Ingest implements AutoCloseable {
  private static final Duration TURN = Duration.ofMillis(40);
  private static final Duration SILENT_CLIENT_TIMEOUT = Duration.ofMillis(500);
  private static final Duration LAST_CALLS_TIMEOUT = Duration.ofMillis(250);
  private static final Duration GOAWAY_TIMEOUT = Duration.ofMillis(150);
  private static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration POLL = Duration.ofMillis(5);

  private final Clock clock;
  private final Transport transport = Transport.ofThisSystem();
  private final EventLoopGroup acceptLoop = transport.newEventLoop("accept");
  private final EventLoopGroup workLoop;
  private final SocketFile socketFile;
  private final GrpcServer server;
  private final Availability availability = new Availability();
  private final LogAgentService logAgent;
  private final ServiceRegistry services;
  private final Watchdog watchdog;
  private final Waiter waiter = new Waiter();
  private final Waiter exitWaiter = new Waiter();

  // Guarded by this object's lock, like the field below. The last listener accepts; the others only
  // serve the connections that they have.
  private final List<SocketListener> listeners = new ArrayList<>();
  // Whether the last listener is bound and not published yet.
  private boolean bound;
  private boolean isSocketLost;

  /// @param directory where the socket is created
  /// @param socketMode the permissions of the socket file
  public Ingest(Path directory, Set<PosixFilePermission> socketMode, Clock clock) {
    transport.ensureAvailable();
    this.clock = clock;
    this.watchdog = new Watchdog(clock);
    this.socketFile = new SocketFile(directory, socketMode);
    AdaptiveSpin spin = new AdaptiveSpin(clock);
    this.workLoop = transport.newEventLoop("ingest", spin::shouldSpin);
    this.server =
        new GrpcServer(transport, acceptLoop, workLoop.next(), BackPressure.MAX_STREAMS, clock);
    this.logAgent = new LogAgentService(server, availability, spin, clock);
    this.services =
        new ServiceRegistry(
            logAgent,
            availability,
            new PeerCredentials(transport, DirectoryLayout.lock(directory)));
  }

  /// Binds a socket that is not published yet. This is the longest part of a start and needs no
  /// buffer: one can be opened at the same time.
  public synchronized void bind() throws IOException, InterruptedException {
    listeners.add(server.listen(socketFile.freshPrivateName(), services));
    bound = true;
  }

  /// Accepts records into `buffer` from now on.
  ///
  /// @param statusSource the agent's status and metrics for operators
  public void acceptInto(Buffer buffer, StatusSource statusSource) {
    availability.start(buffer, statusSource);
  }

  /// Publishes the socket that was bound, or a new one.
  public synchronized void publish() throws IOException, InterruptedException {
    if (!bound) {
      bind();
    }
    socketFile.publish();
    bound = false;
  }

  /// Does the upkeep until interrupted.
  ///
  /// @throws StuckException if the disk or the event loop has made no progress for so long that
  ///   only a new process helps
  public void run() throws InterruptedException, IOException, StuckException {
    while (true) {
      waiter.await(turn());
    }
  }

  /// Does one step of upkeep.
  ///
  /// @return how long to wait before the next
  synchronized Duration turn() throws IOException, InterruptedException, StuckException {
    watchdog.check();
    keepSocket();
    boolean makeRoom = listeners.stream().anyMatch(SocketListener::isFull);
    workLoop.execute(() -> {
      server.tickSoon(makeRoom, logAgent::tick);
      services.tick();
    });
    if (watchdog.isStuck(availability.buffer().oldestWaitNanos())) {
      throw new StuckException("a commit has not returned for 30 s: the disk hangs");
    }
    if (watchdog.isStuck(server.nanosSinceTick())) {
      throw new StuckException("the event loop has not run for 30 s");
    }
    return TURN;
  }

  private void keepSocket() throws InterruptedException {
    try {
      if (!socketFile.heal()) {
        publish();
        SocketFile.reportHealed();
        close(listeners.removeFirst(), GOAWAY_TIMEOUT);
      }
      isSocketLost = false;
    } catch (IOException failed) {
      // What is pending is delivered meanwhile, which can free space or an inode.
      if (!isSocketLost) {
        isSocketLost = true;
        Events.severe(
            EventNames.SOCKET_UNUSABLE,
            "reason",
            failed.toString(),
            "action",
            "another process deleted or replaced the socket file: make room for it; the agent tries"
                + " again all the time");
      }
    }
  }

  /// Writes the metrics of ingest.
  public void writeTo(Exposition out) {
    logAgent.refusals().writeTo(out);
  }

  /// Whether a call has started and is not answered, or a record waits for its commit.
  public boolean hasUnansweredCalls() {
    return logAgent.hasOpenCalls() || availability.waitingRecords() > 0;
  }

  /// The time when the last record arrived, or else when ingest was created, by the clock's
  /// nanoseconds.
  public long lastRecordNanos() {
    return logAgent.intervals().lastNanos();
  }

  /// The longest of the recent intervals between records, in nanoseconds.
  public long longestIntervalNanos() {
    return logAgent.intervals().longestNanos();
  }

  /// Withdraws the socket's public name, and no longer heals it. A client that has opened the name
  /// before can still connect.
  public synchronized void withdraw() throws IOException {
    socketFile.withdraw();
  }

  /// Ends serving after [#withdraw], without failing a call of a client that connected in time.
  /// Every call that has started is answered, and clients that have connected and not sent anything
  /// get half a second; then the listener stops accepting, connections in its backlog are served,
  /// and all connections get a GOAWAY. The time-outs add up to 1.1 s with one listener, and 0.35 s
  /// more with each other one.
  ///
  /// @return whether it ended; false if a client still waits for a response: then continue to serve
  ///   with [#publish]
  public synchronized boolean finish() throws InterruptedException {
    awaitQuiet(SILENT_CLIENT_TIMEOUT);
    for (SocketListener listener : listeners) {
      listener.stopAccepting();
    }
    awaitQuiet(LAST_CALLS_TIMEOUT);
    if (hasUnansweredCalls()) {
      return false;
    }
    for (SocketListener listener : listeners) {
      boolean _ = listener.goAway(GOAWAY_TIMEOUT);
    }
    if (hasUnansweredCalls()) {
      // A client can have started a call before it read the GOAWAY.
      return false;
    }
    closeListeners(Duration.ZERO);
    return availability.waitingRecords() == 0;
  }

  /// Ends serving at once, as after a signal: records that wait for their commit are committed,
  /// others are refused. Every call is answered, unless the commit takes longer than a second: then
  /// its connection is closed without a response.
  public synchronized void stop() throws IOException, InterruptedException {
    availability.stop();
    workLoop.execute(logAgent::refuseAll);
    socketFile.withdraw();
    long deadline = clock.nanos() + RESPONSE_TIMEOUT.toNanos();
    while (hasUnansweredCalls() && clock.nanos() - deadline < 0) {
      exitWaiter.await(POLL);
    }
    closeListeners(GOAWAY_TIMEOUT);
  }

  private void closeListeners(Duration timeout) throws InterruptedException {
    for (SocketListener listener : listeners) {
      close(listener, timeout);
    }
    listeners.clear();
  }

  private void close(SocketListener listener, Duration timeout) throws InterruptedException {
    workLoop.execute(services::endWatches);
    listener.close(timeout);
  }

  private void awaitQuiet(Duration longest) throws InterruptedException {
    long deadline = clock.nanos() + longest.toNanos();
    while (clock.nanos() - deadline < 0 && isBusy()) {
      exitWaiter.await(POLL);
    }
  }

  /// Whether a client waits for a response, or is so new that its first call may be on its way.
  private boolean isBusy() throws InterruptedException {
    try {
      return CompletableFuture.supplyAsync(
              () ->
                  logAgent.hasOpenCalls()
                      || server.hasNewConnection(SILENT_CLIENT_TIMEOUT.toNanos()),
              workLoop)
          .get();
    } catch (ExecutionException broken) {
      throw new IllegalStateException(broken);
    }
  }

  /// Ends as [#stop] does, unless it has ended already.
  @Override
  public synchronized void close() throws IOException, InterruptedException {
    if (!listeners.isEmpty()) {
      stop();
    }
    var _ = acceptLoop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    var _ = workLoop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
