package com.datanadhi.sdk;

import com.datanadhi.sdk.internal.config.ResolvedConfigurationFile;
import com.datanadhi.sdk.internal.delivery.DeliveryThreads;
import com.datanadhi.sdk.internal.delivery.Destinations;
import com.datanadhi.sdk.internal.delivery.RecordCounts;
import com.datanadhi.sdk.internal.delivery.Redeliverer;
import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.echopost.Timeouts;
import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.files.PrivateFiles;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.MainServer;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.http.ServerHealth;
import com.datanadhi.sdk.internal.jmx.JmxCounters;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.json.JsonValidator;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.JMException;

/**
 * A client: takes log records and sees to it that none is lost, without its caller ever waiting for
 * it. Thread-safe.
 *
 * <p>A record goes to the main server while that is up, else to EchoPost, else to the fallback
 * server, else into a file in {@code dropped/}. It has one idempotency key on every way it takes;
 * after an answer that was lost it may come again under the same key.
 *
 * <p>With one worker the order of {@link #submit} holds on each way. With more, records that are
 * sent at the same time can overtake each other. Whatever the number, new records can overtake
 * those that EchoPost still holds once the main server is back.
 *
 * <p>Nothing of the network, of EchoPost or of the disk is ever thrown at a caller.
 */
public final class DataNadhi implements AutoCloseable {
  private static final Duration PROBE_INTERVAL = Duration.ofMillis(500);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Map<Path, DataNadhi> SHARED = new ConcurrentHashMap<>();

  private final Configuration configuration;
  private final RateLimitedLog notices = new RateLimitedLog();
  private final RecordCounts ledger = new RecordCounts();
  private final RecordQueue queue;
  private final Destinations world;
  private final DeliveryThreads delivery;
  private final ExecutorService io = SdkThread.pool("datanadhi-io");
  private final ScheduledExecutorService timer;
  private final Optional<JmxCounters> bean;
  private final Thread exit = SdkThread.named("datanadhi-exit", this::end);
  private final String keyPrefix = UUID.randomUUID().toString().replace("-", "") + "-";
  private final AtomicLong keys = new AtomicLong();
  private boolean ended;

  DataNadhi(Configuration configuration, Timeouts patience) {
    this.configuration = configuration;
    this.queue = new RecordQueue(configuration.queueSize());
    ScheduledThreadPoolExecutor one =
        new ScheduledThreadPoolExecutor(1, SdkThread.factory("datanadhi-timer"));
    one.setRemoveOnCancelPolicy(true);
    this.timer = one;
    HttpClient servers = http(HttpClient.Redirect.NEVER);
    ServerClient main =
        new ServerClient(servers, configuration.serverHost(), configuration.apiKey());
    ServerClient fallback =
        new ServerClient(servers, configuration.fallbackHost(), configuration.apiKey());
    this.world =
        new Destinations(
            new MainServer(main),
            new ServerHealth("main server", main, PROBE_INTERVAL, notices),
            new EchoPost(
                configuration, patience, http(HttpClient.Redirect.NORMAL), io, timer, notices),
            new FallbackServer(fallback),
            new ServerHealth("fallback server", fallback, PROBE_INTERVAL, notices),
            new DroppedFiles(configuration.directory()),
            notices);
    this.delivery =
        new DeliveryThreads(queue, world, ledger, configuration.workers(), patience.look());
    this.bean = registered();
    writeDownWhatIsResolved();
    if (!world.files().isEmpty()) {
      notices.say(
          Level.WARNING,
          "There are undelivered records in "
              + configuration.directory().resolve("dropped")
              + ": redeliver() sends them again");
    }
    world.echoPost().prepare();
    delivery.start();
    try {
      Runtime.getRuntime().addShutdownHook(exit);
    } catch (IllegalStateException tooLate) {
      notices.say(Level.WARNING, "The process ends already: close() alone delivers what is left");
    }
  }

  /**
   * A client by the configuration in {@code directory} and the environment.
   *
   * @throws ConfigurationException for a value that cannot be used, or when there is no key
   */
  public static DataNadhi open(Path directory) {
    return open(Configuration.load(directory));
  }

  /** A client by a configuration made in code. */
  public static DataNadhi open(Configuration configuration) {
    return new DataNadhi(configuration, Timeouts.DEFAULT);
  }

  /**
   * This process's one client for {@code directory}, opened at the first call; for those who have
   * no place to keep one, as log handlers. The end of the process closes it; do not close it
   * yourself.
   *
   * @throws ConfigurationException as {@link #open(Path)}
   */
  public static DataNadhi shared(Path directory) {
    return SHARED.computeIfAbsent(directory.toAbsolutePath().normalize(), DataNadhi::open);
  }

  /**
   * Takes a record, and returns at once.
   *
   * @param pipelines which the server runs it through, in this order
   * @param payload maps, iterables, arrays, strings, numbers, booleans and nulls as JSON, all else
   *     by its {@code toString}; read before this returns
   * @return false when it was not taken, because the queue is full or the client closed: the record
   *     is the caller's still, and counted as refused
   */
  public boolean submit(List<String> pipelines, Map<String, ?> payload) {
    return take(pipelines, JsonEncoder.text(payload));
  }

  /**
   * As {@link #submit}, with a payload that is JSON already; it is delivered as it is.
   *
   * @throws IllegalArgumentException when it is not one JSON value
   */
  public boolean submitJson(List<String> pipelines, String payload) {
    return take(pipelines, JsonValidator.oneValue(payload));
  }

  private boolean take(List<String> pipelines, String json) {
    OutgoingRecord entry = new OutgoingRecord(pipelines, json, keyPrefix + keys.incrementAndGet());
    ledger.submitting();
    if (queue.offer(entry)) {
      ledger.submitted();
      return true;
    }
    ledger.refused();
    return false;
  }

  /** Waits until all that was submitted so far is settled; false when that takes too long. */
  public boolean flush(Duration longest) throws InterruptedException {
    return delivery.isDone(longest);
  }

  /**
   * Sends the records in {@code dropped/} again, oldest file first; what cannot be delivered stays.
   * Takes as long as that does: not for a thread that somebody waits for. One run at a time, of all
   * threads and processes: while another is under way this one does nothing.
   *
   * @throws IOException when a file cannot be read or written
   */
  public Redelivery redeliver() throws IOException, InterruptedException {
    return world
        .files()
        .redeliver(FallbackServer.BATCH, new Redeliverer(world))
        .map(done -> new Redelivery(done.delivered(), done.kept(), done.unreadable()))
        .orElse(new Redelivery(0, 0, 0));
  }

  /** What was done so far. */
  public Counters counters() {
    return ledger.snapshot(queue.depth(), world.echoPost().state());
  }

  /** How it works. */
  public Configuration configuration() {
    return configuration;
  }

  /**
   * Takes no more records, waits up to the exit time-out for those it has, and brings what is left
   * through EchoPost or into a file. The end of the process does the same.
   */
  @Override
  public void close() {
    // On a thread that nobody interrupts.
    Thread closer = SdkThread.named("datanadhi-close", this::end);
    closer.start();
    boolean interrupted = false;
    while (closer.isAlive()) {
      try {
        closer.join();
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(exit);
    } catch (IllegalStateException underWay) {
      // The process ends already.
    }
  }

  private synchronized void end() {
    if (ended) {
      return;
    }
    ended = true;
    queue.close();
    try {
      boolean unused = delivery.isDone(configuration.exitTimeout());
      long lost = delivery.stop();
      if (lost > 0) {
        notices.say(
            Level.ERROR,
            "%d records are lost: no way was open, and no file could be written".formatted(lost));
      }
    } catch (InterruptedException nobodyDoes) {
      notices.say(
          Level.ERROR, "Interrupted while closing: %d records are lost".formatted(ledger.open()));
    } finally {
      world.echoPost().close();
      world.mainHealth().close();
      world.fallbackHealth().close();
      timer.shutdownNow();
      io.shutdown();
      bean.ifPresent(this::unregister);
    }
  }

  private HttpClient http(HttpClient.Redirect redirects) {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(redirects)
        .connectTimeout(CONNECT_TIMEOUT)
        .executor(io)
        .build();
  }

  private Optional<JmxCounters> registered() {
    try {
      return Optional.of(JmxCounters.register(configuration.directory(), this::counters));
    } catch (JMException | RuntimeException | LinkageError none) {
      notices.say(Level.WARNING, "No counters over JMX: " + none);
      return Optional.empty();
    }
  }

  private void unregister(JmxCounters registered) {
    try {
      registered.close();
    } catch (JMException gone) {
      notices.say(Level.DEBUG, "JMX: " + gone);
    }
  }

  private void writeDownWhatIsResolved() {
    try {
      PrivateFiles.directory(configuration.directory());
      ResolvedConfigurationFile.write(configuration);
    } catch (IOException | RuntimeException unwritable) {
      notices.say(
          Level.WARNING,
          "%s cannot be written: %s"
              .formatted(configuration.directory().resolve(".config.resolved.json"), unwritable));
    }
  }
}
