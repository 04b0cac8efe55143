package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.sdk.EchoPostState.Status;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.lang.System.Logger.Level;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The way through EchoPost: there or not, and never the application's trouble. Whatever fails makes
 * it unusable for a while. Thread-safe.
 */
public final class EchoPost implements AutoCloseable {
  private static final int LARGEST = 4 << 20;

  /** How long an agent that was too slow may still be expected, where no other way is open. */
  private static final Duration LATE_START = Duration.ofSeconds(30);

  /** A process has one system, whatever the number of its clients. */
  private static final AtomicBoolean SAID_UNSUPPORTED = new AtomicBoolean();

  private final DirectoryLayout layout;
  private final Optional<Platform> platform;
  private final Downloader download;
  private final Optional<AgentStarter> starter;
  private final AgentChannel channel;
  private final BacklogDetector backlog;
  private final Cooldown cooldown;
  private final Duration giveUp;
  private final RateLimitedLog notices;
  private volatile EchoPostState state = new EchoPostState(Status.PREPARING, "");
  private volatile boolean awaitsSocket;
  private volatile long awaitsSocketUntil;
  private volatile boolean closed;

  /** Does nothing before {@link #prepare}. */
  public EchoPost(
      Configuration configuration,
      Timeouts patience,
      HttpClient downloads,
      ExecutorService io,
      ScheduledExecutorService timer,
      RateLimitedLog notices) {
    this.layout = DirectoryLayout.below(configuration.directory());
    this.platform =
        Platform.of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    this.download =
        new Downloader(downloads, configuration.downloadUrl(), patience.downloadStall(), notices);
    this.starter =
        platform.map(p -> new AgentStarter(layout, p, configuration, patience.start(), notices));
    this.channel =
        new AgentChannel(layout.socket(), configuration.apiKey(), patience.call(), io, timer);
    this.backlog = new BacklogDetector(layout, cooldown(patience));
    this.cooldown = cooldown(patience);
    this.giveUp = patience.start();
    this.notices = notices;
    if (configuration.echoPostDisabled()) {
      state = new EchoPostState(Status.DISABLED, "by the configuration");
    } else if (platform.isEmpty()) {
      String system = System.getProperty("os.name") + "/" + System.getProperty("os.arch");
      state = new EchoPostState(Status.UNSUPPORTED, system);
      if (SAID_UNSUPPORTED.compareAndSet(false, true)) {
        notices.say(
            Level.WARNING,
            "There is no EchoPost for "
                + system
                + " (but for Linux and macOS on amd64 and arm64): records are delivered without"
                + " it");
      }
    }
  }

  private static Cooldown cooldown(Timeouts patience) {
    return new Cooldown(patience.firstCooldown(), patience.longestCooldown(), System::nanoTime);
  }

  /** Sees to it, on a thread of its own, that the program is there. */
  public void prepare() {
    platform.ifPresent(known -> {
      if (state.status() == Status.PREPARING) {
        SdkThread.named("datanadhi-echopost", () -> download(known)).start();
      }
    });
  }

  private void download(Platform known) {
    try {
      DownloadResult result = download.ensure(layout, known);
      if (result instanceof DownloadResult.Present) {
        state = new EchoPostState(Status.READY, "");
      } else if (result instanceof DownloadResult.NetworkError error) {
        fails(Level.WARNING, "it cannot be downloaded: " + error.why());
      } else if (result instanceof DownloadResult.BadAnswer answer) {
        fails(Level.ERROR, answer.url() + " answered " + answer.status());
      } else if (result instanceof DownloadResult.WrongContent wrong) {
        fails(
            Level.ERROR,
            "%s is not what its checksum says: %s, and not %s"
                .formatted(wrong.url(), wrong.got(), wrong.expected()));
      } else if (result instanceof DownloadResult.WriteError error) {
        fails(Level.ERROR, "it cannot be written: " + error.why());
      }
    } catch (InterruptedException | RuntimeException | LinkageError broken) {
      fails(Level.ERROR, "it cannot be downloaded: " + broken);
    }
  }

  /** Whether records can be handed over now. */
  public boolean isUsable() {
    Status now = state.status();
    if (now == Status.COOLING_DOWN && (isLateStart() || !cooldown.isRunning())) {
      retry();
      now = state.status();
    }
    return now == Status.READY && !closed;
  }

  /** An agent that was too slow to be waited for, and is there now. */
  private boolean isLateStart() {
    return awaitsSocket && Files.exists(layout.socket());
  }

  private synchronized void retry() {
    if (state.status() != Status.COOLING_DOWN) {
      return;
    }
    awaitsSocket = false;
    if (Files.exists(layout.program())) {
      state = new EchoPostState(Status.READY, "");
    } else {
      state = new EchoPostState(Status.PREPARING, "");
      prepare();
    }
  }

  /** Whether it may be usable soon. */
  public boolean isPreparing() {
    boolean isStarting = awaitsSocket && System.nanoTime() - awaitsSocketUntil < 0;
    return (state.status() == Status.PREPARING || isStarting) && !closed;
  }

  /** What has become of it. */
  public EchoPostState state() {
    return state;
  }

  /** Whether the record is of a size that an agent takes. */
  public boolean takes(OutgoingRecord entry) {
    return entry.json().length() <= LARGEST / 3 || entry.bytes() <= LARGEST;
  }

  /**
   * Hands the records over, in order, starting an agent where there is none. An agent may vanish
   * between any two records: then it is started again, and what it has not acknowledged sent once
   * more; and again while that ends the same way, for as long as a start may take, since a process
   * that is being killed accepts connections to its last moment.
   */
  public SendResult send(List<OutgoingRecord> entries) throws InterruptedException {
    List<OutgoingRecord> stored = new ArrayList<>();
    List<OutgoingRecord> refused = new ArrayList<>();
    try {
      String failure = send(entries, stored, refused);
      if (failure.isEmpty()) {
        cooldown.reset();
      } else {
        fails(Level.ERROR, failure);
      }
    } catch (RuntimeException | LinkageError broken) {
      fails(Level.ERROR, broken.toString());
    }
    return new SendResult(stored, refused);
  }

  private String send(
      List<OutgoingRecord> entries, List<OutgoingRecord> stored, List<OutgoingRecord> refused)
      throws InterruptedException {
    AgentStarter agents = starter.orElseThrow();
    StartResult running = agents.startIfMissing();
    List<OutgoingRecord> left = entries;
    long end = System.nanoTime() + giveUp.toNanos();
    for (int attempt = 1; ; attempt++) {
      String failure = failure(running);
      if (!failure.isEmpty()) {
        return failure;
      }
      SendAttempt round = SendAttempt.of(left, channel.send(left));
      stored.addAll(round.stored());
      refused.addAll(round.refused());
      if (round.failed().isEmpty()) {
        return "";
      }
      boolean inTime = attempt == 1 || System.nanoTime() - end < 0;
      if (!inTime || !round.hasVanished() || closed) {
        return round.why();
      }
      if (attempt > 1) {
        Thread.sleep(10);
      }
      left = round.failed();
      running = agents.start();
    }
  }

  /** Why there is no agent; empty when there is one. */
  private String failure(StartResult start) {
    if (start instanceof StartResult.NotReady slow) {
      awaitsSocketUntil = System.nanoTime() + LATE_START.toNanos();
      awaitsSocket = true;
      return "its agent does not answer after %d ms".formatted(slow.after().toMillis());
    }
    return start instanceof StartResult.Failed failed ? failed.why() : "";
  }

  /**
   * Starts an agent where one that is gone left records behind. For one thread, which may look as
   * often as it likes.
   */
  public void deliverBacklog() throws InterruptedException {
    if (!isUsable() || !backlog.isLeft()) {
      return;
    }
    notices.say(Level.INFO, "EchoPost holds records that no agent delivers: one is started");
    String failure = failure(starter.orElseThrow().start());
    if (!failure.isEmpty()) {
      fails(Level.ERROR, failure);
    }
  }

  private synchronized void fails(Level level, String why) {
    if (closed || state.status() == Status.COOLING_DOWN) {
      return;
    }
    long seconds = cooldown.begin().toSeconds();
    state = new EchoPostState(Status.COOLING_DOWN, why);
    notices.say(level, "EchoPost is not used for %d s: %s".formatted(seconds, why));
  }

  /** Ends the connection; calls that run fail. The agent stays. */
  @Override
  public void close() {
    closed = true;
    channel.close();
  }
}
