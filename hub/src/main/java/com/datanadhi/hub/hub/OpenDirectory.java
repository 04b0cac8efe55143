package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.apply.AppliedThroughFile;
import com.datanadhi.hub.apply.ApplyLoop;
import com.datanadhi.hub.apply.Checkpointer;
import com.datanadhi.hub.apply.ClockGuard;
import com.datanadhi.hub.apply.MailboxFollower;
import com.datanadhi.hub.apply.Recovery;
import com.datanadhi.hub.apply.Replacements;
import com.datanadhi.hub.apply.SegmentRetention;
import com.datanadhi.hub.apply.TenantBase;
import com.datanadhi.hub.apply.ViewRetention;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.intake.AppendTimer;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.intake.IntakeSettings;
import com.datanadhi.hub.intake.IntakeSettings.Bounds;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.TailLoader;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.restore.Adoption;
import com.datanadhi.hub.restore.Continuations;
import com.datanadhi.hub.restore.RestoredFile;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.CommitTimer;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Everything that is open of a data directory, and how it is connected. Its caller holds the
/// directory's lock.
///
/// Opening reads the end of the log and the control stream, never all that is stored. No thread
/// applies yet: [HubRun] starts those.
final class OpenDirectory implements AutoCloseable {
  /// The log's directory.
  static final String LOG = "log";

  private static final long CONTROL_SEGMENT_BYTES = 1L << 20;
  private static final long MAX_HELD_BACK_BYTES = 10L << 30;

  /// A part of the 10 s that an end in order may take; the next start applies what is left.
  private static final Duration LONGEST_REST = Duration.ofSeconds(2);

  /// Of one turn within that time: each can be of another tenant, whose database is created.
  private static final int REST_RECORDS = 50;

  /// Another part of it. Thousands of databases take longer to be made durable.
  private static final Duration LONGEST_CHECKPOINT = Duration.ofSeconds(3);

  final HubSettings settings;
  final Clock clock;
  final SegmentLog log;
  final TenantDatabases databases;
  final ControlStore control;
  final Intake intake;
  final MailboxFollower mailboxes;
  final ApplyLoop apply;
  final Checkpointer checkpointer;
  final Recovery recovery;
  final Replacements replacements;
  final ClockGuard clockGuard;
  final SegmentRetention segmentRetention;
  final ViewRetention viewRetention;
  final Queries queries;
  final Continuations continuations;
  private final long heldBackBound;

  // Without anybody who asks the archive, nothing is known to be there.
  private volatile LongSupplier archivedThrough;
  private volatile ToLongFunction<String> archivedSeq;
  private volatile TenantBase base = TenantBase.NONE;

  private OpenDirectory(
      HubSettings settings, SegmentLog log, AppendTimer appends, CommitTimer commits, Clock clock)
      throws IOException {
    Path directory = settings.dataDirectory();
    this.settings = settings;
    this.clock = clock;
    this.log = log;
    continuations = Continuations.of(directory);
    databases = new TenantDatabases(directory.resolve("tenants"), Descriptors.DATABASES, commits);
    long unknown = settings.objects().archive() ? -1 : Long.MAX_VALUE;
    archivedThrough = () -> unknown;
    archivedSeq = _ -> unknown;
    heldBackBound =
        Math.min(MAX_HELD_BACK_BYTES, Files.getFileStore(directory).getTotalSpace() / 4);
    long keyHorizon = settings.keyHorizon().toMillis();
    clockGuard =
        new ClockGuard(
            clock, directory.resolve("clock-stepped"), lastTime(log), settings.keyHorizon());
    Clock recordClock = clockGuard.forRecords();
    control = new ControlStore(log, databases, recordClock, keyHorizon);
    intake =
        new Intake(
            log,
            databases,
            new IntakeSettings(settings.durability(), keyHorizon, Bounds.defaults()),
            recordClock,
            appends);
    mailboxes = new MailboxFollower(databases, control);
    AppliedThroughFile appliedThrough =
        new AppliedThroughFile(directory.resolve("applied-through"));
    apply =
        new ApplyLoop(
            log,
            Intake.STREAM,
            databases,
            control,
            intake,
            mailboxes,
            appliedThrough,
            directory.resolve("quarantine"),
            recordClock);
    apply.useEarlierHistory(continuations::isMissing);
    Long maxProvenBytes = settings.logRetentionBytes();
    segmentRetention =
        new SegmentRetention(
            log,
            apply,
            () -> archivedThrough.getAsLong(),
            settings.logRetention(),
            maxProvenBytes == null ? Long.MAX_VALUE : maxProvenBytes,
            clockGuard::isPaused,
            clock);
    checkpointer =
        new Checkpointer(
            apply, log, Intake.STREAM, databases, mailboxes, appliedThrough, segmentRetention);
    TenantBase lateBase = new LateBase();
    recovery = new Recovery(apply, databases, lateBase);
    replacements = new Replacements(apply, databases, lateBase);
    viewRetention =
        new ViewRetention(
            databases,
            mailboxes,
            settings.viewRetention(),
            tenant -> archivedSeq.applyAsLong(tenant),
            clockGuard::isPaused,
            apply.parked()::isParked,
            clock);
    queries = new Queries(databases, apply, control, this::unappliedDigest, apply::isUnusable);
  }

  /// Opens the directory.
  ///
  /// @param appends is told of each durable append
  /// @param commits is told of each commit of a tenant's database
  /// @param isToServe whether a restored directory is to continue in a log of its own
  /// @throws IOException the log cannot be opened
  static OpenDirectory open(
      HubSettings settings,
      AppendTimer appends,
      CommitTimer commits,
      Clock clock,
      boolean isToServe)
      throws IOException, InterruptedException {
    SegmentSettings segments =
        new SegmentSettings(
            settings.segmentBytes(),
            Math.min(CONTROL_SEGMENT_BYTES, settings.segmentBytes()),
            settings.segmentAge(),
            settings.bufferBytes());
    SegmentLog log = SegmentLog.open(settings.dataDirectory().resolve(LOG), segments, clock);
    boolean opened = false;
    try {
      // Else the first append waits until a segment is filled with zeros.
      log.prepare(Intake.STREAM);
      log.prepare(ControlStore.STREAM);
      OpenDirectory directory = new OpenDirectory(settings, log, appends, commits, clock);
      if (isToServe) {
        directory.adoptRestored();
      }
      opened = true;
      return directory;
    } finally {
      if (!opened) {
        log.close();
      }
    }
  }

  private void adoptRestored() throws IOException, InterruptedException {
    RestoredFile restored = RestoredFile.read(settings.dataDirectory());
    if (restored != null) {
      restored.checkContinues(settings.objects().url(), settings.objects().archive());
      new Adoption(restored, log.epoch().toString(), databases, control, continuations).run();
      RestoredFile.markAdopted(settings.dataDirectory());
    }
  }

  /// Says who knows what is archived.
  void use(Backups backups) {
    archivedThrough = backups::archivedThrough;
    archivedSeq = backups::archivedSeq;
    base = backups.base();
  }

  /// What [#use] has given.
  private final class LateBase implements TenantBase {
    @Override
    public boolean isNeeded(String tenant) {
      return base.isNeeded(tenant);
    }

    @Override
    public @Nullable Base putInPlace(String tenant, long logStart)
        throws IOException, ViewException, InterruptedException {
      return base.putInPlace(tenant, logStart);
    }

    @Override
    public boolean takeBefore(String tenant, long end)
        throws IOException, ViewException, InterruptedException {
      return base.takeBefore(tenant, end);
    }

    @Override
    public Set<String> tenants() throws IOException, InterruptedException {
      return base.tenants();
    }

    @Override
    public void archivedOffsets(String tenant, @Nullable ViewState has, OffsetSink sink)
        throws IOException, InterruptedException {
      base.archivedOffsets(tenant, has, sink);
    }
  }

  /// Loads the keys of what is in the log and not applied yet. Before that, no append is accepted:
  /// a repeat would be taken for a new record.
  void loadTail() throws IOException, InterruptedException {
    long started = clock.nanoTime();
    long records = new TailLoader(log, intake).load(apply.start());
    if (records > 0) {
      Events.info(
          "unapplied_keys_loaded",
          "records",
          records,
          "seconds",
          (clock.nanoTime() - started) / 1e9);
    }
  }

  /// Bytes of log records that are not applied: at most that much, since whole segments are
  /// counted.
  long unappliedBytes() {
    long next = apply.next();
    return log.segments(Intake.STREAM).stream()
        .filter(segment -> segment.endOffset() > next)
        .mapToLong(SegmentInfo::bytes)
        .sum();
  }

  /// Why nothing more is accepted for a parked tenant, or null: the log keeps a bounded part of the
  /// disk for it.
  @Nullable String heldBack(String tenant) {
    long bytes = apply.parked().heldBackBytes(tenant);
    if (bytes < heldBackBound) {
      return null;
    }
    return "the database of this tenant cannot be written, and "
        + (bytes >> 20)
        + " MiB of its records wait in the log: see 'echopost-hub status'";
  }

  /// Ends the loops after their turns.
  void stopLoops() {
    apply.stop();
    checkpointer.stop();
    mailboxes.stop();
    recovery.stop();
    viewRetention.stop();
  }

  /// Applies what was acknowledged last, so that a hub that ended in order can be read with
  /// sqlite3.
  void applyRest() throws InterruptedException {
    long deadline = clock.nanoTime() + LONGEST_REST.toNanos();
    while (apply.next() < log.stableEnd(Intake.STREAM)
        && clock.nanoTime() < deadline
        && apply.turn(REST_RECORDS) == ApplyLoop.Turn.WORKED) {}
  }

  private @Nullable String unappliedDigest(String tenant, String key) {
    Outcome.Stored stored = intake.unapplied(tenant, key);
    return stored == null ? null : stored.receipt().sha256();
  }

  private static long lastTime(SegmentLog log) throws IOException {
    long end = log.stableEnd(Intake.STREAM);
    if (end == log.start(Intake.STREAM)) {
      return 0;
    }
    try {
      List<LogEntry> last = log.read(Intake.STREAM, end - 1, 1, 1);
      return last.isEmpty() ? 0 : last.getFirst().time();
    } catch (DamagedException damaged) {
      Events.severe("log_damaged", damaged, "stream", damaged.stream());
      return 0;
    }
  }

  /// Makes durable what is applied, as far as there is time, then closes. The apply loop has ended.
  @Override
  public void close() throws IOException {
    long deadline = clock.nanoTime() + LONGEST_CHECKPOINT.toNanos();
    try {
      boolean complete = checkpointer.checkpoint(() -> clock.nanoTime() - deadline > 0);
      if (!complete) {
        Events.info("checkpoint_incomplete", "effect", "the next start applies some records again");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      databases.close();
      log.close();
    }
  }
}
