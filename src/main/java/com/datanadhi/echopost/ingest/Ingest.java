package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.directory.DirectoryLayout;
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

/// The ingest sibling: takes records over gRPC on the UNIX socket and puts them into the buffer.
///
/// Its loop keeps the socket's public name in place and watches that nobody waits for ever. Leaving
/// goes in steps that the agent drives: [#withdraw], [#finish], and [#open] again when there turned
/// out to be something left to do. All methods may be called from any thread; they exclude each
/// other.
public final class Ingest implements AutoCloseable {
  private static final Duration TURN = Duration.ofMillis(40);
  private static final Duration SILENCE = Duration.ofMillis(500);
  private static final Duration LAST_CALLS = Duration.ofMillis(250);
  private static final Duration GOODBYE = Duration.ofMillis(150);
  private static final Duration ANSWERS = Duration.ofSeconds(1);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);

  private final Clock clock;
  private final Transport transport = Transport.ofThisSystem();
  private final EventLoopGroup acceptLoop = transport.newEventLoop("accept");
  private final EventLoopGroup workLoop;
  private final SocketFile socketFile;
  private final Connections connections;
  private final ServiceRegistry services;
  private final Watchdog watchdog;
  private final Waiter waiter = new Waiter();
  private final Waiter leaving = new Waiter();
  // The last one is open; the others only serve the connections they have.
  private final List<SocketListener> doors = new ArrayList<>();
  // The last one is bound, and not shown yet.
  private boolean bound;

  /// @param directory where the socket goes
  /// @param socketMode the permissions of the socket file
  public Ingest(Path directory, Set<PosixFilePermission> socketMode, Clock clock) {
    transport.ensureAvailable();
    this.clock = clock;
    this.watchdog = new Watchdog(clock);
    this.socketFile = new SocketFile(directory, socketMode);
    AdaptiveSpin lookout = new AdaptiveSpin(clock);
    this.workLoop = transport.newEventLoop("ingest", lookout::goesOn);
    this.connections = new Connections(workLoop.next(), lookout, clock);
    this.services =
        new ServiceRegistry(
            connections, new PeerCredentials(transport, DirectoryLayout.lock(directory)));
  }

  /// Binds a socket that nobody can see yet. It is what takes longest at a start and needs no
  /// buffer: one can be opened meanwhile.
  public synchronized void bind() throws IOException, InterruptedException {
    doors.add(
        SocketListener.open(
            socketFile.freshPrivateName(),
            transport,
            acceptLoop,
            workLoop.next(),
            connections,
            services,
            clock));
    bound = true;
  }

  /// Takes records into `buffer` from now on.
  ///
  /// @param overview what operators may ask about
  public void takeInto(Buffer buffer, AgentInfo overview) {
    connections.takeInto(buffer, overview);
  }

  /// Shows the socket that was bound, or else a new one.
  public synchronized void open() throws IOException, InterruptedException {
    if (!bound) {
      bind();
    }
    socketFile.publish();
    bound = false;
  }

  /// Looks after the socket until interrupted.
  ///
  /// @throws StuckException when the disk or the event loop has stood still for so long that only a
  ///   new process helps
  public void run() throws InterruptedException, IOException, StuckException {
    while (true) {
      waiter.await(turn());
    }
  }

  /// Does one step of upkeep.
  ///
  /// @return how long to wait before the next
  synchronized Duration turn() throws IOException, InterruptedException, StuckException {
    watchdog.look();
    if (!socketFile.heal()) {
      open();
      close(doors.removeFirst(), GOODBYE);
    }
    boolean makeRoom = doors.stream().anyMatch(SocketListener::isFull);
    workLoop.execute(() -> {
      connections.tickSoon(makeRoom);
      services.tick();
    });
    if (watchdog.isStuck(connections.buffer().oldestWaitNanos())) {
      throw new StuckException("a commit has not returned for 30 s: the disk hangs");
    }
    if (watchdog.isStuck(connections.sinceTickNanos())) {
      throw new StuckException("the event loop has not run for 30 s");
    }
    return TURN;
  }

  /// Writes what ingest measures. Any thread.
  public void writeTo(Exposition out) {
    connections.refusals().writeTo(out);
  }

  /// Whether a call has begun and is not answered yet, or something waits for its commit.
  public boolean hasUnansweredCalls() {
    return connections.hasUnansweredCalls();
  }

  /// When the last record came, or else when ingest began, by the clock's nanoseconds.
  public long lastRecordNanos() {
    return connections.gaps().lastNanos();
  }

  /// The longest of the recent gaps between records, in nanoseconds.
  public long longestGapNanos() {
    return connections.gaps().longestNanos();
  }

  /// Takes the socket's public name away, and heals it no more. Who has looked already can still
  /// connect.
  public synchronized void withdraw() throws IOException {
    socketFile.withdraw();
  }

  /// Ends serving, after [#withdraw], without failing anybody who came in time: every call that has
  /// begun is answered, connected but silent clients get half a second, then new connections are
  /// refused while those in the backlog are still taken and answered, and the rest is told to go
  /// away. Takes at most a second.
  ///
  /// @return whether it ended; false when somebody still waits for an answer, who is then served
  ///   on: [#open] again
  public synchronized boolean finish() throws InterruptedException {
    awaitQuiet(SILENCE);
    for (SocketListener door : doors) {
      door.refuseNew();
    }
    awaitQuiet(LAST_CALLS);
    if (hasUnansweredCalls()) {
      return false;
    }
    for (SocketListener door : doors) {
      boolean _ = door.goAway(GOODBYE);
    }
    if (hasUnansweredCalls()) {
      // Who had not heard it yet could still begin a call.
      return false;
    }
    closeDoors(Duration.ZERO);
    return connections.buffer().waitingRecords() == 0;
  }

  /// Ends serving at once, as for a signal: records that are waiting for their commit get it,
  /// others are refused. Every call is answered, unless the commit takes longer than a second: one
  /// that is cut off tells its client nothing.
  public synchronized void stop() throws IOException, InterruptedException {
    connections.refuseAll();
    socketFile.withdraw();
    long deadline = clock.nanos() + ANSWERS.toNanos();
    while (hasUnansweredCalls() && clock.nanos() - deadline < 0) {
      leaving.await(LOOK_AGAIN);
    }
    closeDoors(GOODBYE);
  }

  private void closeDoors(Duration patience) throws InterruptedException {
    for (SocketListener door : doors) {
      close(door, patience);
    }
    doors.clear();
  }

  private void close(SocketListener door, Duration patience) throws InterruptedException {
    workLoop.execute(services::endWatches);
    door.close(patience);
  }

  private void awaitQuiet(Duration longest) throws InterruptedException {
    long deadline = clock.nanos() + longest.toNanos();
    while (clock.nanos() - deadline < 0 && isBusy()) {
      leaving.await(LOOK_AGAIN);
    }
  }

  private boolean isBusy() throws InterruptedException {
    try {
      return CompletableFuture.supplyAsync(connections::isBusy, workLoop).get();
    } catch (ExecutionException broken) {
      throw new IllegalStateException(broken);
    }
  }

  /// Ends as [#stop] does, unless it has ended already.
  @Override
  public synchronized void close() throws IOException, InterruptedException {
    if (!doors.isEmpty()) {
      stop();
    }
    var _ = acceptLoop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    var _ = workLoop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
