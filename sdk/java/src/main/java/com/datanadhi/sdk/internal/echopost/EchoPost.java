package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.DeliveryFailure.Kind;
import com.datanadhi.sdk.EchoPostMode;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.sdk.EchoPostState.Status;
import com.datanadhi.sdk.internal.files.PrivateFiles;
import com.datanadhi.sdk.internal.http.HttpTransport;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * EchoPost as a destination: downloads the program, starts an agent when records are sent, and
 * sends them. After an error EchoPost is not used during a cool-down; the error is not thrown.
 * Thread-safe.
 */
public final class EchoPost implements AutoCloseable {
  /** The largest payload that an agent accepts. */
  private static final int MAX_BYTES = 4 << 20;

  /** The longest wait of records in the queue for an agent that starts slowly. */
  private static final Duration LATE_START = Duration.ofSeconds(30);

  /** How long {@code echopost -version} may take; the first run unpacks the program's runtime. */
  private static final Duration ANSWER = Duration.ofMinutes(1);

  /** The longest time between two checks whether it is time to look for a newer program. */
  private static final Duration UPDATE_POLL = Duration.ofHours(1);

  private static final Duration RETRY_PAUSE = Duration.ofMillis(10);

  /** The warning is logged once per process, however many clients it has. */
  private static final AtomicBoolean WARNED_UNSUPPORTED = new AtomicBoolean();

  private final DirectoryLayout layout;
  private final Optional<Platform> platform;
  private final Optional<Downloader> downloader;
  private final boolean downloads;
  private final Optional<AgentDirectory> first;

  /** Used from the time when the first one's agent is found to deliver to another server. */
  private final Optional<AgentDirectory> second;

  /** Those in which records for earlier servers may be left; only their backlog is used. */
  private final List<AgentDirectory> others;

  private final Cooldown cooldown;
  private final Duration retryTimeout;
  private final Duration updateInterval;
  private final ServerName serverName;
  private final ScheduledExecutorService timer;
  private final RateLimitedLog log;
  private final FailureReports failures;
  private final Clock clock;
  private final Waiter waiter;
  private volatile EchoPostState state = new EchoPostState(Status.PREPARING, "");
  private volatile boolean awaitsSocket;
  private volatile long awaitsSocketUntil;
  private volatile boolean usesSecond;
  private volatile boolean didNotStart;
  private boolean updatesScheduled;
  private volatile boolean closed;

  /** The threads that download or look for a newer program. */
  private final Set<Thread> background = new HashSet<>();

  /** EchoPost for the configuration's directory; {@link #prepare} begins to download it. */
  public EchoPost(
      DataNadhiConfiguration configuration,
      Timeouts timeouts,
      HttpTransport downloadServer,
      ExecutorService io,
      ScheduledExecutorService timer,
      RateLimitedLog log,
      FailureReports failures,
      Clock clock,
      Waiter waiter) {
    this.layout = DirectoryLayout.in(configuration.directory());
    this.platform =
        Platform.of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    DownloadServer server =
        new DownloadServer(downloadServer, timeouts.downloadStall(), log, clock);
    this.downloader =
        platform.map(p ->
            new Downloader(
                layout, p, server, configuration.downloadUrl(), ANSWER, log, clock, waiter));
    ServerName serverName = ServerName.of(configuration.serverHost());
    Function<DirectoryLayout, Optional<AgentDirectory>> agentDirectory =
        in ->
            platform.map(p ->
                new AgentDirectory(
                    in,
                    new AgentStarter(in, p, configuration, timeouts.start(), log, clock, waiter),
                    new AgentChannel(
                        in.socket(),
                        configuration.apiKey(),
                        serverName,
                        timeouts.call(),
                        io,
                        timer,
                        clock),
                    new BacklogDetector(in, newCooldown(timeouts, clock))));
    this.downloads = configuration.echoPostMode() == EchoPostMode.AUTO;
    this.first = agentDirectory.apply(layout);
    this.second = agentDirectory.apply(layout.of(serverName));
    this.others =
        layout.others(serverName).stream()
            .flatMap(in -> agentDirectory.apply(in).stream())
            .toList();
    this.serverName = serverName;
    this.cooldown = newCooldown(timeouts, clock);
    this.retryTimeout = timeouts.start();
    this.updateInterval = timeouts.update();
    this.timer = timer;
    this.log = log;
    this.failures = failures;
    this.clock = clock;
    this.waiter = waiter;
    if (configuration.echoPostDisabled()) {
      state = new EchoPostState(Status.DISABLED, "by the configuration");
    } else if (platform.isEmpty()) {
      String system = System.getProperty("os.name") + "/" + System.getProperty("os.arch");
      unavailable(Status.UNSUPPORTED, system);
      if (WARNED_UNSUPPORTED.compareAndSet(false, true)) {
        log.log(
            Level.WARNING,
            "EchoPost does not support "
                + system
                + ", only Linux and macOS on amd64 and arm64: records are delivered without it");
      }
    }
  }

  private static Cooldown newCooldown(Timeouts timeouts, Clock clock) {
    return new Cooldown(timeouts.firstCooldown(), timeouts.maxCooldown(), clock);
  }

  /** Looks for the program, and downloads it in the background if it may. */
  public void prepare() {
    downloader.ifPresent(known -> {
      if (state.status() == Status.PREPARING
          && !inBackground(
              "datanadhi-echopost", downloads ? () -> download(known) : () -> find(known))) {
        fail(Level.WARNING, "there is no thread to look for it");
      }
    });
  }

  /** Uses the program if it is there; downloads nothing. */
  private void find(Downloader known) {
    String problem;
    try {
      problem = known.problemOfProgram();
    } catch (IOException | RuntimeException | Error failed) {
      problem = failed.toString();
    }
    if (problem.isEmpty()) {
      didNotStart = false;
      state = new EchoPostState(Status.READY, "");
    } else {
      unavailable(Status.NOT_INSTALLED, problem);
      log.log(
          Level.INFO,
          "EchoPost is not used: %s, and echopost.mode only-if-present forbids a download. It is used as soon as it is there"
              .formatted(problem));
    }
  }

  /** Returns false if no thread can be made, or this is closed. */
  private synchronized boolean inBackground(String name, Runnable download) {
    Thread thread =
        SdkThread.named(
            name,
            () -> {
              try {
                download.run();
              } finally {
                leaveBackground();
              }
            });
    return !closed && SdkThread.start(thread) && background.add(thread);
  }

  private synchronized void leaveBackground() {
    background.remove(Thread.currentThread());
  }

  /** Looks for newer programs in the background, until the client is closed. */
  private synchronized void scheduleUpdates(Downloader known) {
    if (updatesScheduled || closed || !downloads) {
      return;
    }
    updatesScheduled = true;
    long poll = Math.min(updateInterval.toMillis(), UPDATE_POLL.toMillis());
    try {
      var unused =
          timer.scheduleWithFixedDelay(
              () -> {
                boolean unusedResult =
                    inBackground("datanadhi-echopost-update", () -> update(known));
              },
              0,
              poll,
              TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closedMeanwhile) {
      // No update is needed any more.
    }
  }

  private void update(Downloader known) {
    try {
      known.updateIfDue(updateInterval);
    } catch (InterruptedException | RuntimeException | Error unexpected) {
      if (!closed) {
        log.log(Level.INFO, "A newer EchoPost was looked for in vain: " + unexpected);
      }
    }
  }

  private void download(Downloader known) {
    try {
      DownloadResult result = known.ensurePresent(didNotStart);
      if (result instanceof DownloadResult.Present) {
        didNotStart = false;
        state = new EchoPostState(Status.READY, "");
        scheduleUpdates(known);
      } else if (result instanceof DownloadResult.NetworkError error) {
        fail(Level.WARNING, "it cannot be downloaded: " + error.reason());
      } else if (result instanceof DownloadResult.UnexpectedStatus unexpected) {
        fail(
            Level.ERROR,
            "it cannot be downloaded: "
                + unexpected.url()
                + " answered "
                + unexpected.status()
                + "; check echopost.download_url");
      } else if (result instanceof DownloadResult.ChecksumMismatch mismatch) {
        fail(
            Level.ERROR,
            "the download from %s has the SHA-256 %s, but the server's .sha256 file has %s"
                .formatted(mismatch.url(), mismatch.actual(), mismatch.expected()));
      } else if (result instanceof DownloadResult.NotEchoPost other) {
        fail(
            Level.ERROR,
            "the download from %s is not installed: %s; check echopost.download_url, and whether a proxy or a captive portal answers in its place"
                .formatted(other.url(), other.problem()));
      } else if (result instanceof DownloadResult.WriteError error) {
        fail(
            Level.ERROR,
            "it cannot be written: %s; free disk space, or give this user write access to %s"
                .formatted(error.reason(), layout.directory()));
      }
    } catch (InterruptedException | RuntimeException | Error unexpected) {
      fail(Level.ERROR, "it cannot be downloaded: " + unexpected);
    }
  }

  /** Whether records can be sent now; ends the cool-down when its time is over. */
  public boolean isUsable() {
    Status now = state.status();
    if (now == Status.NOT_INSTALLED) {
      endIfInstalled();
      now = state.status();
    }
    if (now == Status.COOLING_DOWN && (isLateAgentThere() || !cooldown.isRunning())) {
      endCooldown();
      now = state.status();
    }
    return now == Status.READY && !closed;
  }

  private void endIfInstalled() {
    boolean isThere;
    try {
      isThere = downloader.isPresent() && downloader.get().problemOfProgram().isEmpty();
    } catch (IOException unreadable) {
      isThere = false;
    }
    if (isThere) {
      state = new EchoPostState(Status.READY, "");
    }
  }

  /** Whether an agent that did not start in time has created its socket since. */
  private boolean isLateAgentThere() {
    return awaitsSocket && Files.exists(current().layout().socket());
  }

  private AgentDirectory current() {
    return (usesSecond ? second : first).orElseThrow();
  }

  /** Uses the directory for this server from now on, until the client is closed. */
  private synchronized void useSecond(ServerName other) throws IOException {
    if (usesSecond) {
      return;
    }
    Path directory = second.orElseThrow().layout().directory();
    PrivateFiles.createDirectories(directory);
    usesSecond = true;
    log.log(
        Level.WARNING,
        "EchoPost's agent on %s delivers to %s, but server.host is %s: records for it go to an agent on %s"
            .formatted(layout.directory(), other.url(), serverName.url(), directory));
  }

  private synchronized void endCooldown() {
    if (state.status() != Status.COOLING_DOWN) {
      return;
    }
    boolean isAgentThere = isLateAgentThere();
    awaitsSocket = false;
    if (isAgentThere || (!didNotStart && Files.exists(layout.program()))) {
      state = new EchoPostState(Status.READY, "");
      downloader.ifPresent(this::scheduleUpdates);
    } else {
      state = new EchoPostState(Status.PREPARING, "");
      prepare();
    }
  }

  /** Whether records should wait because EchoPost is being downloaded or its agent is starting. */
  public boolean isPreparing() {
    boolean isStarting = awaitsSocket && clock.nanos() - awaitsSocketUntil < 0;
    return (state.status() == Status.PREPARING || isStarting) && !closed;
  }

  /** The state, for the public counters. */
  public EchoPostState state() {
    return state;
  }

  /** Whether the payload is at most 4 MiB, the limit of an agent. */
  public boolean accepts(OutgoingRecord record) {
    // A char of a string has at most three bytes in UTF-8.
    return record.json().length() <= MAX_BYTES / 3 || record.bytes() <= MAX_BYTES;
  }

  /**
   * Sends the records in order, and starts an agent if there is none. If the agent is lost between
   * two records, it is started again and the unacknowledged records are sent again. That is
   * repeated for as long as a start may take, because a process that is being killed can still
   * accept connections.
   */
  public SendResult send(List<OutgoingRecord> records) throws InterruptedException {
    List<OutgoingRecord> stored = new ArrayList<>();
    List<OutgoingRecord> refused = new ArrayList<>();
    try {
      String failure = send(records, stored, refused);
      if (failure.isEmpty()) {
        cooldown.reset();
        didNotStart = false;
      } else {
        fail(Level.ERROR, failure);
      }
    } catch (RuntimeException | Error unexpected) {
      fail(Level.ERROR, unexpected.toString());
    }
    return new SendResult(stored, refused);
  }

  /** Returns why records failed; empty if all were stored or refused. */
  private String send(
      List<OutgoingRecord> records, List<OutgoingRecord> stored, List<OutgoingRecord> refused)
      throws InterruptedException {
    AgentDirectory to = current();
    StartResult agent = to.starter().startIfNoSocket();
    List<OutgoingRecord> left = records;
    long end = clock.nanos() + retryTimeout.toNanos();
    for (int attemptNumber = 1; ; attemptNumber++) {
      String failure = startFailure(agent);
      if (!failure.isEmpty()) {
        return failure;
      }
      SendAttempt attempt = SendAttempt.of(left, to.channel().send(left));
      stored.addAll(attempt.stored());
      refused.addAll(attempt.refused());
      if (attempt.failed().isEmpty()) {
        return "";
      }
      Optional<ServerName> other = to.channel().otherServer();
      if (other.isPresent()) {
        try {
          useSecond(other.get());
        } catch (IOException failed) {
          return failed.toString();
        }
      }
      boolean inTime = attemptNumber == 1 || clock.nanos() - end < 0;
      if (!inTime || !attempt.lostAgent() || closed) {
        return attempt.firstFailure();
      }
      if (attemptNumber > 1) {
        waiter.sleep(RETRY_PAUSE);
      }
      left = attempt.failed();
      to = current();
      agent = to.starter().start();
    }
  }

  /** The reason why there is no agent; empty if there is one. */
  private String startFailure(StartResult start) {
    if (start instanceof StartResult.NotReady slow) {
      didNotStart = true;
      awaitsSocketUntil = clock.nanos() + LATE_START.toNanos();
      awaitsSocket = true;
      return "its agent does not accept connections after %d ms".formatted(slow.after().toMillis());
    }
    if (start instanceof StartResult.Ended ended) {
      didNotStart = true;
      return ended.reason();
    }
    return start instanceof StartResult.Failed failed ? failed.reason() : "";
  }

  /**
   * Starts an agent if EchoPost's buffer holds records that no agent delivers. To be called by one
   * thread; it can be called often, since most calls cost a few system calls.
   */
  public void deliverBacklog() throws InterruptedException {
    if (isUsable()) {
      deliverBacklog(first.orElseThrow());
      deliverBacklog(second.orElseThrow());
      for (AgentDirectory other : others) {
        deliverBacklog(other);
      }
    }
  }

  private void deliverBacklog(AgentDirectory in) throws InterruptedException {
    if (!in.backlog().hasBacklog()) {
      return;
    }
    log.log(
        Level.INFO, "EchoPost's buffer holds records that no agent delivers: an agent is started");
    String failure = startFailure(in.starter().start());
    if (!failure.isEmpty()) {
      fail(Level.ERROR, failure);
    }
  }

  private synchronized void fail(Level level, String reason) {
    if (closed || state.status() == Status.COOLING_DOWN) {
      return;
    }
    long seconds = cooldown.begin().toSeconds();
    unavailable(Status.COOLING_DOWN, reason);
    log.log(level, "EchoPost is not used for %d s: %s".formatted(seconds, reason));
  }

  private void unavailable(Status status, String reason) {
    state = new EchoPostState(status, reason);
    failures.report(Kind.ECHOPOST_UNAVAILABLE, status.name(), reason, 0);
  }

  /** Closes the connection and ends downloads; calls that run fail. The agent continues to run. */
  @Override
  public synchronized void close() {
    closed = true;
    first.ifPresent(used -> used.channel().close());
    second.ifPresent(used -> used.channel().close());
    background.forEach(Thread::interrupt);
  }
}
