package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A [Log] in files of one directory, which belongs to this object alone.
/// `docs/hub/log-contract.md` states what it promises and the format of its files.
///
/// One platform thread writes all that waits and syncs once; another one prepares segments. Callers
/// only take a lock that nobody holds while the disk works. Thread-safe.
public final class SegmentLog implements Log {
  private static final Pattern STREAM = Pattern.compile("[a-z0-9][a-z0-9-]{0,63}");
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final Path directory;
  private final SegmentSettings settings;
  private final Map<String, Stream> streams = new ConcurrentHashMap<>();
  private final Map<Stream, Spares> spares = new ConcurrentHashMap<>();
  private final ScheduledThreadPoolExecutor background;
  private final LogWriter writer;
  private final Thread writerThread;
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
  private final CountDownLatch ended = new CountDownLatch(1);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition workArrived = lock.newCondition();

  /// Of whoever deletes segments: the state file says so before the file goes.
  private final ReentrantLock deletion = new ReentrantLock();

  // Guarded by the lock:
  private final ArrayDeque<Work> waiting = new ArrayDeque<>();
  private @Nullable Work inHand;
  private long waitingBytes;
  private boolean writerWaits;
  private boolean closing;
  private @Nullable String failed;
  private long appendedRecords;
  private long appendedBytes;
  private long refusedAppends;

  private volatile UUID epoch;
  private volatile boolean closed;
  // Written by the writer's thread only:
  private volatile boolean weak;
  private volatile @Nullable IOException closeFailure;

  private SegmentLog(
      Path directory, SegmentSettings settings, Clock clock, UUID epoch, List<Stream> recovered) {
    this.directory = directory;
    this.settings = settings;
    this.epoch = epoch;
    this.background =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("hub-log-segments").daemon().factory());
    this.writer = new LogWriter(epoch, settings.segmentAge(), clock, new Listener());
    this.writerThread = Thread.ofPlatform().name("hub-log-writer").daemon().unstarted(this::run);
    recovered.forEach(stream -> streams.put(stream.name(), stream));
  }

  /// Opens the log in this directory, which is created if it is missing. Everything in it is
  /// recovered, sealed, and on stable storage when this returns.
  ///
  /// @param directory of the log: `DIR/log`
  /// @throws IOException the disk failed, or has no room for the recovery
  public static SegmentLog open(Path directory, SegmentSettings settings, Clock clock)
      throws IOException {
    DurableFiles.createDirectories(directory);
    StateFile state = StateFile.read(directory);
    List<Stream> recovered = new ArrayList<>();
    Map<Stream, SegmentName> empty = new HashMap<>();
    for (String name : streamNames(directory, state)) {
      Path child = directory.resolve(name);
      DurableFiles.createDirectories(child);
      Stream stream = new Stream(name, child, settings.segmentBytes(name));
      Recovery.Result result = new Recovery(child, name, state, clock.wallMillis()).run();
      stream.recovered(result);
      result.empty().ifPresent(segment -> empty.put(stream, segment));
      recovered.add(stream);
    }
    UUID epoch =
        state == null || (!state.closed() && state.weak()) ? UUID.randomUUID() : state.epoch();
    if (state != null && !epoch.equals(state.epoch())) {
      Events.warning("log_epoch_began", "epoch", epoch, "reason", "it was not closed in order");
    } else if (state == null && !recovered.isEmpty()) {
      Events.warning(
          "log_epoch_began", "epoch", epoch, "reason", "its file state is missing or damaged");
    }
    SegmentLog log = new SegmentLog(directory, settings, clock, epoch, recovered);
    log.writeState(false);
    for (Map.Entry<Stream, SegmentName> one : empty.entrySet()) {
      DurableFiles.delete(one.getValue().in(one.getKey().directory(), SegmentName.LOG));
    }
    log.writerThread.start();
    recovered.forEach(stream -> log.prepare(stream.name()));
    return log;
  }

  /// Those that have a directory, and those that had one.
  private static Set<String> streamNames(Path directory, @Nullable StateFile state)
      throws IOException {
    Set<String> found = new TreeSet<>(state == null ? Set.of() : state.ends().keySet());
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
      for (Path child : children) {
        String name = String.valueOf(child.getFileName());
        if (Files.isDirectory(child) && STREAM.matcher(name).matches()) {
          found.add(name);
        }
      }
    }
    return found;
  }

  /// Has the first segment of a stream made before its first append, which otherwise waits for it.
  public void prepare(String stream) {
    spares(stream(stream)).prepare();
  }

  @Override
  public UUID epoch() {
    return epoch;
  }

  @Override
  public Append append(String streamName, List<NewEntry> newEntries, Durability durability) {
    List<NewEntry> entries = List.copyOf(newEntries);
    if (entries.isEmpty()) {
      throw new IllegalArgumentException("an append needs a record");
    }
    long bytes = 0;
    for (NewEntry entry : entries) {
      if (entry.type() < 1 || entry.type() > 255) {
        throw new IllegalArgumentException("type " + entry.type());
      }
      bytes += SegmentSettings.waitingBytes(entry.payload().length);
    }
    Stream stream = stream(streamName);
    Spares spare = spares(stream);
    lock.lock();
    try {
      Append.Refused refused = refusal(stream, spare, bytes);
      if (refused != null) {
        refusedAppends++;
        return refused;
      }
      Group group = waiting.peekLast() instanceof Group last ? last : newGroup();
      Batch batch =
          new Batch(
              stream,
              entries,
              durability,
              stream.next,
              bytes,
              latch(group, durability, stream, spare, bytes));
      group.add(batch);
      stream.next += entries.size();
      stream.waitingBytes += bytes;
      waitingBytes += bytes;
      appendedRecords += entries.size();
      appendedBytes += bytes;
      wakeWriter();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private Append.@Nullable Refused refusal(Stream stream, Spares spare, long bytes) {
    if (failed != null) {
      return new Append.Refused(Append.Cause.CLOSED, "the log has failed: " + failed);
    }
    if (closing) {
      return new Append.Refused(Append.Cause.CLOSED, "the log is closing");
    }
    String noRoom = spare.failure();
    if (noRoom != null && !hasRoom(stream, spare, bytes)) {
      return new Append.Refused(Append.Cause.UNWRITABLE, "no segment can be created: " + noRoom);
    }
    if (waitingBytes + bytes > settings.waitingBytesBound()) {
      return new Append.Refused(
          Append.Cause.FULL,
          waitingBytes + " bytes wait to be written, of " + settings.waitingBytesBound());
    }
    return null;
  }

  /// Whether all that waits in the stream fits into segments that exist.
  private static boolean hasRoom(Stream stream, Spares spare, long bytes) {
    long wanted = stream.waitingBytes + bytes;
    long inSpare =
        stream.segmentBytes() - RecordFormat.SEGMENT_HEADER_BYTES - RecordFormat.HEADER_BYTES;
    return wanted <= stream.remainingBytes || (spare.isReady() && wanted <= inSpare);
  }

  private @Nullable CountDownLatch latch(
      Group group, Durability durability, Stream stream, Spares spare, long bytes) {
    return switch (durability) {
      case FSYNC -> group.synced();
      case WAL -> group.written();
      // The first weak append waits for the note that there is one; and nothing may count that has
      // no room yet.
      case RAM -> weak && hasRoom(stream, spare, bytes) ? null : group.written();
    };
  }

  private Group newGroup() {
    Group group = new Group();
    waiting.addLast(group);
    return group;
  }

  private void wakeWriter() {
    if (writerWaits) {
      writerWaits = false;
      workArrived.signal();
    }
  }

  private Stream stream(String name) {
    Stream known = streams.get(name);
    if (known != null) {
      return known;
    }
    if (!STREAM.matcher(name).matches()) {
      throw new IllegalArgumentException("not the name of a stream: " + name);
    }
    return streams.computeIfAbsent(
        name, one -> new Stream(one, directory.resolve(one), settings.segmentBytes(one)));
  }

  private Spares spares(Stream stream) {
    return spares.computeIfAbsent(stream, one -> new Spares(one, background));
  }

  @Override
  public List<LogEntry> read(String streamName, long from, int maxRecords, long maxBytes)
      throws IOException, DamagedException {
    if (from < 0 || maxRecords < 1) {
      throw new IllegalArgumentException("from " + from + ", " + maxRecords + " records");
    }
    if (closed) {
      throw new IOException("the log is closed");
    }
    Stream stream = streams.get(streamName);
    return stream == null ? List.of() : new StreamReader(stream, from, maxRecords, maxBytes).read();
  }

  @Override
  public long stableEnd(String stream) {
    Stream known = streams.get(stream);
    return known == null ? 0 : known.stableEnd();
  }

  @Override
  public long end(String stream) {
    Stream known = streams.get(stream);
    if (known == null) {
      return 0;
    }
    lock.lock();
    try {
      return known.next;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean awaitStable(String stream, long offset, Duration timeout)
      throws InterruptedException {
    long nanos = TimeUnit.NANOSECONDS.convert(timeout);
    return stream(stream).awaitStable(offset, nanos, () -> closed);
  }

  @Override
  public long start(String stream) {
    Stream known = streams.get(stream);
    return known == null ? 0 : known.start();
  }

  @Override
  public void rotate(String stream) throws IOException {
    Stream known = streams.get(stream);
    if (known != null) {
      onWriter(() -> writer.seal(known));
    }
  }

  /// Seals the open segments and forgets what can be read again.
  public void releaseMemory() throws IOException {
    onWriter(writer::sealAll);
    streams.values().forEach(Stream::releaseIndexes);
  }

  @Override
  public void beginEpoch() throws IOException {
    onWriter(() -> {
      UUID next = UUID.randomUUID();
      writer.sealAll();
      StateFile old = state(false);
      new StateFile(next, false, old.weak(), old.ends(), old.starts()).write(directory);
      writer.epoch(next);
      epoch = next;
    });
  }

  @Override
  public List<SegmentInfo> segments(String stream) {
    Stream known = streams.get(stream);
    return known == null ? List.of() : known.infos();
  }

  /// As the contract says; a segment with records that could not be read is set aside.
  @Override
  public void deleteSegment(String stream, long firstOffset) throws IOException {
    remove(stream, firstOffset, false);
  }

  @Override
  public void setAsideSegment(String stream, long firstOffset) throws IOException {
    remove(stream, firstOffset, true);
  }

  private void remove(String stream, long firstOffset, boolean isDamaged) throws IOException {
    deletion.lock();
    try {
      Stream known = stream(stream);
      Segment segment = sealed(known, firstOffset);
      boolean isOldest = known.isOldest(segment);
      if (isOldest) {
        known.retainFrom(known.startWithout(segment));
      }
      noteBounds();
      inBackground(() -> {
        if (isOldest) {
          removeOldest(known, segment);
        } else {
          DurableFiles.open(
                  segment.file(SegmentName.DELETED),
                  StandardOpenOption.WRITE,
                  StandardOpenOption.CREATE)
              .close();
          segment.becomes(Segment.Kind.DELETED);
        }
        Files.deleteIfExists(segment.indexFile());
        if (isDamaged || segment.isDamaged()) {
          DurableFiles.move(segment.file(), segment.file(SegmentName.DAMAGED));
        } else {
          DurableFiles.delete(segment.file());
        }
      });
    } finally {
      deletion.unlock();
    }
  }

  /// What is missing or was deleted before it, or was deleted directly behind it, needs no place
  /// any more.
  private static void removeOldest(Stream stream, Segment oldest) throws IOException {
    for (Segment segment : stream.segments()) {
      boolean isBehind = segment.firstOffset() > oldest.firstOffset();
      if (isBehind && segment.kind() != Segment.Kind.DELETED) {
        return;
      }
      stream.remove(segment);
      if (segment.kind() == Segment.Kind.DELETED) {
        Files.deleteIfExists(segment.file(SegmentName.DELETED));
      }
    }
  }

  /// Makes durable where the streams begin and end, before a file that shows it goes. If it cannot
  /// be written, that harms only the caller: no append depends on it.
  private void noteBounds() throws IOException {
    CompletableFuture<Void> written = new CompletableFuture<>();
    onWriter(() -> {
      try {
        writeState(false);
        written.complete(null);
      } catch (IOException unwritable) {
        written.completeExceptionally(unwritable);
      }
    });
    await(written);
  }

  /// Reads all records of all streams. What is damaged is an event and counts in [#stats], as if a
  /// reader had met it.
  public LogVerifier.Report verify() throws IOException {
    LogVerifier.Report report = LogVerifier.verify(directory);
    for (LogVerifier.Finding finding : report.findings()) {
      Stream stream = streams.get(finding.stream());
      Segment segment = stream == null ? null : stream.floor(finding.firstOffset());
      if (segment != null && finding.firstOffset() < finding.endOffset()) {
        segment.reportDamage(
            finding.stream(), finding.firstOffset(), finding.endOffset(), finding.what());
      }
    }
    return report;
  }

  private static Segment sealed(Stream stream, long firstOffset) throws IOException {
    Segment segment = stream.at(firstOffset);
    if (segment == null || !segment.isSealed() || segment.kind() != Segment.Kind.RECORDS) {
      throw new IOException("no sealed segment of " + stream.name() + " begins at " + firstOffset);
    }
    return segment;
  }

  @Override
  public List<String> streams() {
    return streams.values().stream()
        .filter(stream -> end(stream.name()) > 0)
        .map(Stream::name)
        .sorted()
        .toList();
  }

  @Override
  public LogStats stats() {
    long bytes = 0;
    int segments = 0;
    int damaged = 0;
    for (Stream stream : streams.values()) {
      for (Segment segment : stream.segments()) {
        bytes += segment.kind() == Segment.Kind.RECORDS ? segment.bounds().limit() : 0;
        segments += segment.kind() == Segment.Kind.RECORDS ? 1 : 0;
        damaged += segment.isDamaged() ? 1 : 0;
      }
    }
    lock.lock();
    try {
      return new LogStats(
          appendedRecords,
          appendedBytes,
          refusedAppends,
          writer.commits(),
          waitingBytes,
          bytes,
          segments,
          damaged);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public CompletionStage<Throwable> failure() {
    return failure.minimalCompletionStage();
  }

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closing = true;
      wakeWriter();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (ended.getCount() > 0) {
      try {
        ended.await();
      } catch (InterruptedException later) {
        // What is accepted becomes durable first.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    IOException failedToClose = closeFailure;
    if (failedToClose != null) {
      throw new IOException("the log did not close in order", failedToClose);
    }
  }

  // --- the writer's thread ---

  private void run() {
    try {
      while (awaitWork()) {
        Work next = takeWork();
        if (next != null) {
          perform(next);
          performed();
        }
        writer.tick();
      }
      writer.sealAll();
      endBackground();
      writeState(true);
    } catch (IOException | InterruptedException | RuntimeException | Error broken) {
      closeFailure = broken instanceof IOException io ? io : new IOException(broken);
      failAll(broken);
    } finally {
      release();
    }
  }

  /// Waits for work, at most until the next tick.
  ///
  /// @return whether the log goes on
  private boolean awaitWork() throws InterruptedException {
    lock.lock();
    try {
      long left = TICK_NANOS;
      while (waiting.isEmpty() && !closing && left > 0) {
        writerWaits = true;
        left = workArrived.awaitNanos(left);
      }
      writerWaits = false;
      return !waiting.isEmpty() || !closing;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Work takeWork() {
    lock.lock();
    try {
      inHand = waiting.poll();
      return inHand;
    } finally {
      lock.unlock();
    }
  }

  private void performed() {
    lock.lock();
    try {
      inHand = null;
    } finally {
      lock.unlock();
    }
  }

  private void perform(Work work) throws IOException {
    switch (work) {
      case Group group -> {
        if (group.isWeak() && !weak) {
          state(true).write(directory);
          weak = true;
        }
        writer.write(group, this::spares);
        written(group);
        group.written().countDown();
        writer.sync(group.toSync());
        group.synced().countDown();
      }
      case Work.Task(Work.Action action, CompletableFuture<Void> done) -> {
        action.run();
        done.complete(null);
      }
    }
  }

  private void written(Group group) {
    lock.lock();
    try {
      for (Batch batch : group.batches()) {
        if (!batch.hasFailed()) {
          batch.stream().waitingBytes -= batch.bytes();
          waitingBytes -= batch.bytes();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void failAll(Throwable broken) {
    List<Work> work = new ArrayList<>();
    String reason = String.valueOf(broken);
    lock.lock();
    try {
      if (failed == null) {
        failed = reason;
      }
      if (inHand != null) {
        work.add(inHand);
      }
      work.addAll(waiting);
      waiting.clear();
      waitingBytes = 0;
    } finally {
      lock.unlock();
    }
    for (Work one : work) {
      switch (one) {
        case Group group -> group.fail(reason);
        case Work.Task task -> task.done().completeExceptionally(broken);
      }
    }
    if (!failure.isDone()) {
      Events.severe("log_failed", broken);
      failure.completeAsync(() -> broken);
    }
  }

  private void endBackground() {
    spares.values().forEach(Spares::stop);
    background.shutdown();
    boolean done = false;
    try {
      while (!done) {
        done = background.awaitTermination(1, TimeUnit.MINUTES);
      }
      for (Spares spare : spares.values()) {
        spare.close();
      }
    } catch (InterruptedException nobodyDoes) {
      throw new IllegalStateException(nobodyDoes);
    } catch (IOException left) {
      Events.warning("log_spare_not_deleted", "reason", left);
    }
  }

  private void release() {
    try {
      endBackground();
      closed = true;
      writer.abandon();
      for (Stream stream : streams.values()) {
        stream.wakeWaiters();
        Stream.Cursor idle = stream.takeCursor();
        if (idle != null) {
          idle.reader.close();
        }
      }
    } catch (IOException left) {
      Events.warning("log_file_not_closed", "reason", left);
    } finally {
      ended.countDown();
    }
  }

  private StateFile state(boolean withWeak) {
    Map<String, Long> ends = new TreeMap<>();
    Map<String, Long> starts = new TreeMap<>();
    streams.forEach((name, stream) -> {
      if (stream.stableEnd() > 0) {
        ends.put(name, stream.stableEnd());
      }
      if (stream.retainedFrom() > 0) {
        starts.put(name, stream.retainedFrom());
      }
    });
    return new StateFile(epoch, false, withWeak || weak, ends, starts);
  }

  private void writeState(boolean inOrder) throws IOException {
    StateFile now = state(false);
    new StateFile(now.epoch(), inOrder, now.weak(), now.ends(), now.starts()).write(directory);
  }

  /// Runs a task between two groups and waits for it.
  private void onWriter(Work.Action action) throws IOException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    lock.lock();
    try {
      if (closing || failed != null) {
        throw new IOException("the log is closed");
      }
      waiting.addLast(new Work.Task(action, done));
      wakeWriter();
    } finally {
      lock.unlock();
    }
    await(done);
  }

  /// Runs a task on the background thread, which nobody interrupts, and waits for it.
  private void inBackground(Work.Action action) throws IOException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    try {
      background.execute(() -> {
        try {
          action.run();
          done.complete(null);
        } catch (IOException | RuntimeException failedToRun) {
          done.completeExceptionally(failedToRun);
        }
      });
    } catch (java.util.concurrent.RejectedExecutionException ending) {
      throw new IOException("the log is closed", ending);
    }
    await(done);
  }

  private static void await(CompletableFuture<Void> done) throws IOException {
    try {
      Void _ = done.get();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting; it is done all the same");
    } catch (ExecutionException failedToRun) {
      throw new IOException(failedToRun.getCause());
    }
  }

  private final class Listener implements LogWriter.Listener {
    @Override
    public void noRoom(Stream stream, Group group, int from, long writtenEnd, String reason) {
      lock.lock();
      try {
        fail(stream, group.batches().subList(from, group.batches().size()), reason);
        for (Work work : waiting) {
          if (work instanceof Group later) {
            fail(stream, later.batches(), reason);
          }
        }
        // Their offsets were not given to anyone.
        stream.next = writtenEnd;
      } finally {
        lock.unlock();
      }
    }

    private void fail(Stream stream, List<Batch> batches, String reason) {
      for (Batch batch : batches) {
        if (batch.stream() == stream && !batch.hasFailed()) {
          batch.fail("no segment can be created: " + reason);
          batch.forgetEntries();
          stream.waitingBytes -= batch.bytes();
          waitingBytes -= batch.bytes();
        }
      }
    }

    @Override
    public void sealed(Stream stream, Segment segment, SegmentIndex index) {
      background.execute(() -> {
        try {
          Segment.Bounds bounds = segment.bounds();
          index.write(segment.indexFile(), segment.name(), bounds.endOffset(), bounds.limit());
        } catch (IOException unwritable) {
          Events.warning("log_index_not_written", "segment", segment.name(), "reason", unwritable);
        }
        stream.keepIndex(segment, index);
      });
    }

    @Override
    public void remaining(Stream stream, long bytes) {
      lock.lock();
      try {
        stream.remainingBytes = bytes;
      } finally {
        lock.unlock();
      }
    }
  }
}
