package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.record.JsonValidator;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.RecordRules;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// All open connections, and what they may put into the buffer.
///
/// One event loop serves every connection, so the order in which it passes records on is the
/// arrival order, and nothing here but what is completed and the counters needs a lock. What waits
/// for its commit is bounded: at the bound the loop stops reading, which the kernel's socket
/// buffers and HTTP/2 flow control pass on to the clients; only when no commit has ended for 5 s is
/// it read again, to refuse what comes until one does. The number of open calls is bounded in the
/// same way: when for 5 s none has ended, requests that are not complete are refused, since they
/// hold up the rest.
final class Connections {
  static final int MAX_WAITING_RECORDS = 8_192;
  static final long MAX_WAITING_BYTES = 16L << 20;

  /// Messages that are not complete yet lie in direct memory, of which the launcher allows 256 MiB.
  private static final long MAX_HELD_BYTES = 96L << 20;

  /// As many can wait for a commit and half as many stand behind one that is not complete. What
  /// those send before their turn is bounded by their windows.
  private static final int MAX_OPEN_CALLS = MAX_WAITING_RECORDS + MAX_WAITING_RECORDS / 2;

  /// A call takes a stream until its client has taken the answer. Only clients that do not read
  /// leave so many of these behind, at some 700 bytes each.
  private static final int MAX_STREAMS = 2 * MAX_OPEN_CALLS;

  /// Answers to pings and settings, and resets, that were not sent: some 200 bytes each. Only
  /// floods of clients that do not read leave so many.
  private static final int MAX_CONTROL_FRAMES = 32_768;

  /// Each connection may have as many all the same.
  private static final int FEW_CONTROL_FRAMES = 64;

  /// Probes, watches and operators' commands.
  private static final int MAX_OTHER_CALLS = 1_024;

  private static final long REFUSE_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Longer than the loop's other work may keep it from a tick, which is Netty's bound of a second:
  /// else nobody would be idle while it is busy, and others would not be let in.
  private static final long LATE_NANOS = 2 * IDLE_NANOS;

  private static final long SILENT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /// So many go to a writer that has nothing to do without waiting for the rest of what can be
  /// read: both work then, where they took turns. Fewer make more commits than they save time
  /// (docs/PERFORMANCE.md).
  private static final int EARLY_RECORDS = 64;

  /// More than that is not kept for the end of a round, since one commit is to cover it.
  private static final int MOST_TOGETHER = 1_024;

  private static final long MOST_BYTES_TOGETHER = 1L << 20;

  /// What one round of the loop has read, or the first of it.
  private final class Round implements AppendRequest {
    private final List<SendLogCall> arrivals = new ArrayList<>();
    private final List<NewRecord> records = new ArrayList<>();
    private long bytes;

    void add(SendLogCall arrival) {
      arrivals.add(arrival);
      records.add(arrival.record());
      bytes += arrival.record().size();
    }

    @Override
    public List<NewRecord> records() {
      return records;
    }

    @Override
    public void completed(Outcome outcome) {
      Connections.this.completed(this, outcome);
    }
  }

  private record CompletedRound(Round round, AppendRequest.Outcome outcome) {}

  private final EventLoop loop;
  private final AdaptiveSpin lookout;
  private volatile @Nullable Buffer opened;
  private volatile @Nullable AgentInfo overview;
  private final Clock clock;
  final Set<ClientConnection> open = new LinkedHashSet<>();
  private final Set<ClientConnection> waiting = new LinkedHashSet<>();
  private final DecompressionLimiter unpacking;
  private final ArrivalIntervals gaps;
  private final RefusalMetrics refusals = new RefusalMetrics();

  // CompletedRound in the writer's thread, answered on the loop: one wake-up for all that one
  // commit
  // covers.
  private final ConcurrentLinkedQueue<CompletedRound> completed = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean answering = new AtomicBoolean();

  // Checked, and not in the buffer's hands yet.
  private Round arrived = new Round();

  private long heldBytes;
  private int otherCalls;
  private int streams;
  private int controlFrames;
  // Answers that nobody reads fill the memory.
  private boolean overfull;
  // Messages fill the memory: none is asked for.
  private boolean paused;
  // Calls do.
  private boolean crowded;
  private boolean refusing;
  private long progressNanos;
  private final AtomicInteger openCalls = new AtomicInteger();
  private volatile boolean closing;
  private volatile long tickNanos;

  Connections(EventLoop loop, AdaptiveSpin lookout, Clock clock) {
    this.loop = loop;
    this.lookout = lookout;
    this.unpacking = new DecompressionLimiter(loop);
    this.clock = clock;
    this.gaps = new ArrivalIntervals(clock.nanos());
    this.tickNanos = clock.nanos();
  }

  /// From now on records are taken, into `buffer`. Any thread.
  ///
  /// @param whole what operators may ask about
  void takeInto(Buffer buffer, AgentInfo whole) {
    overview = whole;
    opened = buffer;
  }

  /// What records are taken into, once there is one. Any thread.
  Buffer buffer() {
    return Objects.requireNonNull(opened, "nobody gets this far before there is a buffer");
  }

  /// What operators may ask about; null while nothing is taken yet. Any thread.
  @Nullable AgentInfo overview() {
    return overview;
  }

  // ---- connections

  void opened(ClientConnection connection) {
    open.add(connection);
    connection.setReading(isReading());
  }

  void closed(ClientConnection connection) {
    open.remove(connection);
    waiting.remove(connection);
    unpacking.closed(connection);
  }

  long now() {
    return clock.nanos();
  }

  // ---- calls

  /// So much more of incomplete messages is held, or less. Past the bound the call that is growing
  /// is refused: to stop reading would not help, since only more bytes complete any of them.
  void held(long change, GrpcCall<?, ?> growing) {
    heldBytes += change;
    if (change > 0 && heldBytes > MAX_HELD_BYTES) {
      loop.execute(() ->
          growing.refuseIncomplete(
              Refusal.overloaded("too many large records at once: send fewer side by side")));
    }
  }

  /// Why a call that begins now is refused before its message is looked at, or null.
  @Nullable Refusal refusalAtOnce() {
    if (opened == null) {
      return Refusal.STARTING;
    }
    return closing ? parting() : null;
  }

  /// Why nothing is taken at the end.
  private Refusal parting() {
    Buffer buffer = opened;
    @Nullable StorageException failure = buffer == null ? null : buffer.failure();
    return failure == null
        ? Refusal.SHUTTING_DOWN
        : Refusal.storageFailed("the record is not stored: " + failure.getMessage());
  }

  /// How many records were refused, and why.
  RefusalMetrics refusals() {
    return refusals;
  }

  /// Whether a call that is no record may begin; if so, [#otherCallEnded] has to follow.
  boolean beginOtherCall() {
    if (otherCalls >= MAX_OTHER_CALLS) {
      return false;
    }
    otherCalls++;
    return true;
  }

  void otherCallEnded() {
    otherCalls--;
  }

  void streamOpened() {
    streams++;
    if (streams >= MAX_STREAMS && !overfull) {
      overfull = true;
      setReading();
    }
  }

  void streamClosed() {
    streams--;
    if (streams < MAX_STREAMS / 2 && overfull) {
      overfull = false;
      loop.execute(this::setReading);
    }
  }

  /// One more waits to be sent; [#controlFrameSent] has to follow.
  ///
  /// @param ofConnection how many its connection has with it
  /// @return whether there is room for it
  boolean controlFrameQueued(int ofConnection) {
    controlFrames++;
    return controlFrames <= MAX_CONTROL_FRAMES || ofConnection <= FEW_CONTROL_FRAMES;
  }

  void controlFrameSent() {
    controlFrames--;
  }

  void callBegun() {
    if (openCalls.incrementAndGet() >= MAX_OPEN_CALLS && !crowded) {
      crowded = true;
      progressNanos = clock.nanos();
      setReading();
    }
  }

  void callEnded() {
    if (openCalls.decrementAndGet() < MAX_WAITING_RECORDS && crowded) {
      crowded = false;
      // Not from within some connection's read, which this can be.
      loop.execute(this::setReading);
    }
  }

  /// Whether a call is not answered yet, or something waits for its commit. Any thread.
  boolean hasUnansweredCalls() {
    Buffer buffer = opened;
    return openCalls.get() > 0 || (buffer != null && buffer.waitingRecords() > 0);
  }

  /// The gaps between records. Any thread.
  ArrivalIntervals gaps() {
    return gaps;
  }

  /// The next call in line is complete: checks it and hands it to the buffer, or refuses it.
  void arrived(SendLogCall arrival) {
    gaps.recordAt(clock.nanos());
    @Nullable Refusal refusal = refusal(arrival);
    if (refusal != null) {
      arrival.refuse(refusal);
      return;
    }
    if (arrived.records.isEmpty()) {
      // What can be read now goes to a busy writer at once: it makes one commit of it.
      loop.execute(this::append);
    }
    arrived.add(arrival);
    if ((arrived.records.size() >= EARLY_RECORDS && buffer().waitingRecords() == 0)
        || arrived.records.size() >= MOST_TOGETHER
        || arrived.bytes >= MOST_BYTES_TOGETHER) {
      append();
    }
    if (!paused && isFull()) {
      paused = true;
      progressNanos = clock.nanos();
      setReading();
    }
  }

  private void append() {
    if (arrived.records.isEmpty()) {
      // The first of them did not wait for the rest.
      return;
    }
    Buffer buffer = buffer();
    buffer.append(arrived);
    arrived = new Round();
    lookout.begin(buffer.waitingRecords() == 1);
  }

  /// Whether the message of `next` may be put together in memory; when not, `connection` is told to
  /// go on once it may.
  boolean hasRoomFor(ClientConnection connection, SendLogCall next) {
    if (!takesMessages()) {
      waiting.add(connection);
      return false;
    }
    return !next.isCompressed() || unpacking.begin(connection);
  }

  DecompressionLimiter unpacking() {
    return unpacking;
  }

  private @Nullable Refusal refusal(SendLogCall arrival) {
    if (closing) {
      return parting();
    }
    long shortage = buffer().shortage();
    if (shortage != 0) {
      return Refusal.diskFull(
          "the disk is full: "
              + (shortage + (1 << 20) - 1) / (1 << 20)
              + " MiB more must be free before records are taken again");
    }
    if (refusing) {
      return Refusal.overloaded(
          "the disk has not taken a record for 5 s and no more fit in memory: send it again later");
    }
    @Nullable SendLogRequest request = arrival.request();
    // Not a switch by type, which would be compiled for the first record of each run
    // (docs/PERFORMANCE.md).
    if (request instanceof SendLogRequest.Message message) {
      return refusal(arrival, message);
    }
    if (request instanceof SendLogRequest.Malformed(String why)) {
      return Refusal.invalid(why);
    }
    return request instanceof SendLogRequest.TooLarge(String why)
        ? Refusal.tooLarge(why)
        : Refusal.invalid("the call carried no LogRequest");
  }

  private @Nullable Refusal refusal(SendLogCall arrival, SendLogRequest.Message message) {
    if (message.jsonData().length > RecordRules.MAX_JSON_BYTES) {
      return Refusal.tooLarge(
          "json_data is "
              + message.jsonData().length
              + " bytes long, a record may have "
              + RecordRules.MAX_JSON_BYTES);
    }
    @Nullable String problem = JsonValidator.problem(message.jsonData());
    if (problem != null) {
      return Refusal.invalid("json_data is not JSON: " + problem);
    }
    if (!RecordRules.isHeaderValue(message.apiKey())) {
      return Refusal.invalid(
          "api_key cannot be sent as an HTTP header: take line ends and control characters out");
    }
    arrival.hold(
        new NewRecord(
            clock.millis(),
            message.jsonData(),
            message.pipelines(),
            message.apiKey(),
            arrival.origin()));
    return null;
  }

  // ---- answers

  private void completed(Round round, AppendRequest.Outcome outcome) {
    completed.add(new CompletedRound(round, outcome));
    if (answering.compareAndSet(false, true)) {
      try {
        loop.execute(this::answerCompleted);
      } catch (RejectedExecutionException _) {
        // The loop has ended, and with it every connection: nobody is left to be told.
        return;
      }
    }
  }

  private void answerCompleted() {
    lookout.end();
    answering.set(false);
    for (CompletedRound next = completed.poll(); next != null; next = completed.poll()) {
      for (SendLogCall arrival : next.round().arrivals) {
        arrival.answer(next.outcome());
      }
    }
    progressNanos = clock.nanos();
    boolean wasRefusing = refusing;
    refusing = false;
    if (paused && !isHalfFull()) {
      paused = false;
      read();
    } else if (wasRefusing) {
      setReading();
    }
  }

  private boolean isFull() {
    return buffer().waitingRecords() + arrived.records.size() >= MAX_WAITING_RECORDS
        || buffer().waitingBytes() + arrived.bytes >= MAX_WAITING_BYTES;
  }

  private boolean isHalfFull() {
    return buffer().waitingRecords() >= MAX_WAITING_RECORDS / 2
        || buffer().waitingBytes() >= MAX_WAITING_BYTES / 2;
  }

  /// Goes on with all connections, those that have waited longest first.
  private void read() {
    List<ClientConnection> next = List.copyOf(waiting);
    waiting.clear();
    for (ClientConnection connection : next) {
      connection.advance();
    }
    setReading();
  }

  private boolean takesMessages() {
    return !paused || refusing;
  }

  private boolean isReading() {
    return takesMessages() && !crowded && !overfull;
  }

  private void setReading() {
    // A copy: to set one reading can close it. Asked each time: it can also end all reading.
    for (ClientConnection connection : List.copyOf(open)) {
      connection.setReading(isReading());
    }
  }

  // ---- upkeep

  /// Looks after what time alone decides, when the loop has next read what there is to read. It can
  /// have had other work for a second, and who has sent something meanwhile is not idle: what is
  /// scheduled it takes up after reading, what is merely executed before.
  ///
  /// @param makeRoom whether new connections wait outside for room
  void tickSoon(boolean makeRoom) {
    var _ = loop.schedule(() -> tick(makeRoom), 0, TimeUnit.NANOSECONDS);
  }

  private void tick(boolean makeRoom) {
    long now = clock.nanos();
    boolean late = now - tickNanos > LATE_NANOS;
    tickNanos = now;
    if (paused && !refusing && now - progressNanos > REFUSE_NANOS) {
      refusing = true;
      read();
    }
    if (crowded && now - progressNanos > REFUSE_NANOS) {
      progressNanos = now;
      Set.copyOf(open).forEach(connection -> connection.refuseIncomplete(Refusal.CROWDED));
    }
    for (ClientConnection connection : Set.copyOf(open)) {
      connection.tick(now, late);
    }
    if (overfull) {
      closeSlowReaders();
    }
    if (makeRoom && isReading()) {
      closeIdle(now);
    }
  }

  /// Ends the connections with the most answers that were not taken: what was stored is stored, and
  /// who is not told sends it again.
  private void closeSlowReaders() {
    int tooMany = streams - MAX_STREAMS / 2;
    List<ClientConnection> deafest = new ArrayList<>(open);
    deafest.sort(Comparator.comparingInt(ClientConnection::unreadAnswers).reversed());
    for (ClientConnection connection : deafest) {
      if (tooMany < 0 || connection.unreadAnswers() == 0) {
        return;
      }
      tooMany -= connection.unreadAnswers();
      connection.cut();
    }
  }

  /// How long ago the event loop last ran a tick, in nanoseconds. Any thread.
  long sinceTickNanos() {
    return clock.nanos() - tickNanos;
  }

  private void closeIdle(long now) {
    open.stream()
        .filter(c -> c.waitsForNothing() && c.idleNanos(now) > IDLE_NANOS)
        .sorted(Comparator.comparingLong((ClientConnection c) -> c.idleNanos(now)).reversed())
        .limit(Math.max(1, open.size() / 4))
        .forEach(c -> c.close(now));
  }

  /// Whether somebody is about to send, or waits for an answer: a call is open, or a connection is
  /// so young that its first call may be on its way. On the loop.
  boolean isBusy() {
    long now = clock.nanos();
    return openCalls.get() > 0
        || open.stream().anyMatch(c -> c.isSilent() && c.idleNanos(now) < SILENT_NANOS);
  }

  /// From now on every record that the buffer does not have yet is refused: the agent was told to
  /// stop, or its disk has failed. Any thread.
  void refuseAll() {
    closing = true;
    loop.execute(() -> Set.copyOf(open).forEach(connection -> connection.refuse(parting())));
  }
}
