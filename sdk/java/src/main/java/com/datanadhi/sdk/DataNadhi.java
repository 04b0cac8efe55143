package com.datanadhi.sdk;

import com.datanadhi.sdk.internal.appender.EncodedSubmit;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.SharedClients;
import com.datanadhi.sdk.internal.config.ResolvedConfigurationFile;
import com.datanadhi.sdk.internal.delivery.BatchLimits;
import com.datanadhi.sdk.internal.delivery.DeliveryThreads;
import com.datanadhi.sdk.internal.delivery.Destinations;
import com.datanadhi.sdk.internal.delivery.FileRedelivery;
import com.datanadhi.sdk.internal.delivery.FileRules;
import com.datanadhi.sdk.internal.delivery.MainServerSender;
import com.datanadhi.sdk.internal.delivery.RecordCounts;
import com.datanadhi.sdk.internal.echopost.AgentReserve;
import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.echopost.Timeouts;
import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.files.PrivateFiles;
import com.datanadhi.sdk.internal.files.RedeliveryPass;
import com.datanadhi.sdk.internal.hook.Hooked;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.HttpTransports;
import com.datanadhi.sdk.internal.http.MainServer;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.http.ServerHealth;
import com.datanadhi.sdk.internal.jmx.JmxCounters;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.json.FlatPayload;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.json.JsonValidator;
import com.datanadhi.sdk.internal.json.Utf8;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.logging.StandardError;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.QueueLimits;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.thread.ProcessEnd;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.JMException;

/**
 * A client that accepts log records and delivers them in the background. Thread-safe.
 *
 * <p>A record goes to the first destination that is available: the main server, EchoPost, the
 * fallback server, or a file in {@code dropped/}. It has the same idempotency key for each attempt:
 * if a response is lost, a server can receive the record again under that key.
 *
 * <p>With one worker, each destination receives records in the order of {@link #submit}. With more
 * workers, records that are sent at the same time can overtake each other. With any number, new
 * records can overtake those that EchoPost still holds when the main server is up again.
 *
 * <p>Errors of the network, of EchoPost and of the disk are logged and counted, and not thrown by
 * {@code submit}, {@code flush} and {@code close}.
 */
public final class DataNadhi implements AutoCloseable {
  private static final EncodedPayload UNCHANGED = new EncodedPayload("", 0, false);

  /** Longer waits cannot be computed in nanoseconds. */
  private static final Duration LONGEST_WAIT = Duration.ofDays(36_500);

  private static final Duration PROBE_INTERVAL = Duration.ofMillis(500);
  private static final Duration THREADS_INTERVAL = Duration.ofMillis(500);

  /** To a server that takes no batches, by one of several workers. */
  private static final int REQUESTS_OF_A_WORKER = 8;

  private static final Duration START_POLL = Duration.ofMillis(2);
  private static final Duration FIRST_START_PAUSE = Duration.ofSeconds(1);
  private static final Duration MAX_START_PAUSE = Duration.ofMinutes(1);

  static {
    EncodedSubmit.provide(
        new EncodedSubmit() {
          @Override
          public SubmitResult submit(
              DataNadhi client, List<String> pipelines, EncodedPayload payload) {
            return client.countChanges(payload, client.submitJson(pipelines, payload.json()));
          }

          @Override
          public SubmitResult submitEvent(
              DataNadhi client,
              List<String> pipelines,
              Map<String, ?> payload,
              Duration longestWait,
              Optional<BeforeSend> first)
              throws InterruptedException {
            return client.submit(client.encode(pipelines, payload, first), longestWait);
          }
        });
  }

  private final DataNadhiConfiguration configuration;
  private final RateLimitedLog log;
  private final FailureReports failures;
  private final RecordCounts counts;
  private final RecordQueue queue;
  private final CompletableFuture<Delivery> delivery = new CompletableFuture<>();
  private final ExecutorService io = SdkThread.pool("datanadhi-io");
  private final ScheduledThreadPoolExecutor timer;
  private final Thread shutdownHook = SdkThread.named("datanadhi-exit", this::endWithProcess);
  private final String keyPrefix = UUID.randomUUID().toString().replace("-", "") + "-";
  private final AtomicLong lastKey = new AtomicLong();
  private final Timeouts timeouts;
  private final Clock clock;
  private final Waiter waiter;
  private boolean isShutDown;

  /**
   * Takes no lock of a logging library, so that an appender can open a client at any time: what
   * logs, or takes long, runs on another thread.
   */
  DataNadhi(DataNadhiConfiguration configuration, Timeouts timeouts, Clock clock, Waiter waiter) {
    this.configuration = configuration;
    this.timeouts = timeouts;
    this.clock = clock;
    this.waiter = waiter;
    this.log = new RateLimitedLog(clock);
    this.failures = new FailureReports(configuration.failureListener(), log);
    this.counts = new RecordCounts(failures);
    this.queue =
        new RecordQueue(
            new QueueLimits(
                configuration.queueBytes(),
                configuration.queueSize(),
                configuration.batchSize(),
                configuration.batchBytes()),
            clock);
    this.timer = new ScheduledThreadPoolExecutor(1, SdkThread.factory("datanadhi-timer"));
    timer.setRemoveOnCancelPolicy(true);
    ProcessEnd.lookAtThreads();
    boolean isHooked = ProcessEnd.addHook(shutdownHook);
    try {
      SdkThread.named("datanadhi-start", () -> start(isHooked)).start();
    } catch (RuntimeException | Error noThread) {
      ProcessEnd.removeHook(shutdownHook);
      throw noThread;
    }
  }

  /** Starts the delivery of the records that are submitted from the constructor on. */
  private void start(boolean isHooked) {
    try {
      loadClassesOfEvents();
      if (!isHooked) {
        log.log(
            Level.WARNING,
            "The JVM is shutting down already: call close(), or records in memory are lost");
      }
      Duration pause = FIRST_START_PAUSE;
      while (!isStarted(pause)) {
        waiter.sleep(pause);
        pause = pause.compareTo(MAX_START_PAUSE) < 0 ? pause.multipliedBy(2) : pause;
      }
    } catch (InterruptedException | RuntimeException | Error failed) {
      // Not after a close that did not wait for the start: that has told where the records are.
      if (delivery.completeExceptionally(failed) || !delivery.isCompletedExceptionally()) {
        report(
            ("The client for %s cannot deliver: %s. Records stay in memory, and go into files when"
                    + " it is closed")
                .formatted(configuration.directory(), failed));
      }
    }
  }

  /**
   * Starts the delivery, unless the client is closed.
   *
   * @param pause before the next attempt, if this returns false because no thread can be made
   */
  private boolean isStarted(Duration pause) throws InterruptedException {
    Delivery made;
    try {
      int unused = timer.prestartAllCoreThreads();
      made = makeDelivery();
    } catch (OutOfMemoryError noThread) {
      log.log(
          Level.ERROR,
          "The client for %s cannot deliver now: %s. Records stay in memory; it is tried again in %d s"
              .formatted(configuration.directory(), noThread, pause.toSeconds()));
      return delivery.isDone();
    }
    boolean isUsed = false;
    try {
      prepare(made);
      isUsed = delivery.complete(made);
    } finally {
      if (!isUsed) {
        end(made);
      }
    }
    if (isUsed) {
      made.threads().start();
    }
    return true;
  }

  /** So that the thread of the first event does not do it, which takes up to 100 ms. */
  private static void loadClassesOfEvents() {
    EncodedPayload unused = JsonEncoder.encode(EventPayload.example(), 1 << 10);
  }

  private Delivery makeDelivery() {
    HttpTransports http = new HttpTransports(configuration, io);
    try {
      return makeDelivery(http);
    } catch (RuntimeException | Error failed) {
      http.close();
      throw failed;
    }
  }

  private Delivery makeDelivery(HttpTransports http) {
    ServerClient main = serverClient(http, configuration.serverHost());
    ServerClient fallback = serverClient(http, configuration.fallbackHost());
    ServerHealth mainHealth =
        new ServerHealth("main server", main, PROBE_INTERVAL, log, failures, clock, waiter);
    BatchLimits limits =
        new BatchLimits(
            configuration.batchSize(), configuration.batchBytes(), configuration.batchDelay());
    Destinations destinations =
        new Destinations(
            new MainServerSender(
                new MainServer(main, clock),
                mainHealth,
                limits,
                configuration.workers() == 1 ? 1 : REQUESTS_OF_A_WORKER,
                log,
                clock),
            mainHealth,
            new EchoPost(
                configuration, timeouts, http.downloads(), io, timer, log, failures, clock, waiter),
            new FallbackServer(fallback, clock),
            new ServerHealth(
                "fallback server", fallback, PROBE_INTERVAL, log, failures, clock, waiter),
            droppedFiles());
    DeliveryThreads threads =
        new DeliveryThreads(
            queue,
            destinations,
            counts,
            log,
            configuration.workers(),
            new FileRules(configuration.redeliverAutomatically(), configuration.droppedMaxAge()),
            timeouts.backlogCheckInterval(),
            clock,
            waiter);
    return new Delivery(destinations, threads, http, registerJmxCounters());
  }

  private ServerClient serverClient(HttpTransports http, URI host) {
    return new ServerClient(http.to(host), host, configuration.apiKey());
  }

  private void prepare(Delivery made) {
    DroppedFiles files = made.destinations().droppedFiles();
    writeResolvedConfiguration();
    if (!files.isEmpty()) {
      log.log(
          Level.WARNING,
          "There are undelivered records in %s: %s"
              .formatted(
                  files.directory(),
                  configuration.redeliverAutomatically()
                      ? "they are sent again, except those in primary_failed files, which the main"
                          + " server has rejected and redeliver() sends"
                      : "redeliver() sends them again"));
    }
    made.destinations().echoPost().prepare();
    var unused =
        timer.scheduleWithFixedDelay(
            this::lookAtThreads,
            THREADS_INTERVAL.toMillis(),
            THREADS_INTERVAL.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private void lookAtThreads() {
    try {
      ProcessEnd.lookAtThreads();
      failures.tryAgain();
    } catch (RuntimeException | Error failed) {
      // Else it would not be called again.
      log.logRateLimited(Level.WARNING, "threads", "The threads are not known: " + failed);
    }
  }

  private DroppedFiles droppedFiles() {
    return new DroppedFiles(
        configuration.directory(),
        configuration.droppedMaxBytes(),
        new AgentReserve(configuration.directory()),
        clock,
        waiter);
  }

  /** What is there only after the start. */
  private record Delivery(
      Destinations destinations,
      DeliveryThreads threads,
      HttpTransports http,
      Optional<JmxCounters> jmxCounters) {}

  /**
   * Opens a client with the configuration in {@code directory} and the environment.
   *
   * @throws ConfigurationException if a setting is invalid or the API key is missing
   */
  public static DataNadhi open(Path directory) {
    return open(DataNadhiConfiguration.load(directory));
  }

  /** Opens a client with a configuration that was built in code. */
  public static DataNadhi open(DataNadhiConfiguration configuration) {
    return new DataNadhi(configuration, Timeouts.DEFAULT, Clock.system(), Waiter.system());
  }

  /**
   * Returns the process's shared client for {@code directory}; the first call opens it, and so does
   * the first one after it was closed. The log handlers use the same client. It is closed by {@link
   * #close}, for all who share it, or when the JVM ends.
   *
   * @throws ConfigurationException as {@link #open(Path)}
   */
  public static DataNadhi shared(Path directory) {
    return SharedClients.forApplication(directory);
  }

  /**
   * Submits a record and returns at once, without waiting for a network, a disk or another thread.
   *
   * @param pipelines the pipelines that the server runs, in this order
   * @param payload maps, iterables, arrays, strings, numbers, booleans and nulls are encoded as
   *     JSON, JSON values of Jackson, Gson and JSON-P as they are, other objects as their {@code
   *     toString}; not used after this method returns. A value that throws, contains itself or is
   *     nested deeper than 200 levels is replaced by a text, and a payload that is larger than
   *     {@link DataNadhiConfiguration#maxRecordBytes} is truncated; both are counted
   * @return whether the record was accepted, and else why not: then the caller still has the
   *     record, and it is counted as refused
   */
  @CheckReturnValue
  public SubmitResult submit(List<String> pipelines, Map<String, ?> payload) {
    Optional<Prepared> prepared = prepare(pipelines, payload);
    return prepared.isEmpty()
        ? SubmitResult.FILTERED
        : countChanges(prepared.get().changes(), offer(prepared.get().record()));
  }

  /**
   * As {@link #submit(List, Map)}, but waits for at most {@code longestWait} if the queue is full.
   *
   * @throws InterruptedException if this thread is interrupted while it waits; the record was not
   *     accepted, and it is counted as refused
   */
  @CheckReturnValue
  public SubmitResult submit(List<String> pipelines, Map<String, ?> payload, Duration longestWait)
      throws InterruptedException {
    return submit(prepare(pipelines, payload), longestWait);
  }

  private SubmitResult submit(Optional<Prepared> prepared, Duration longestWait)
      throws InterruptedException {
    return prepared.isEmpty()
        ? SubmitResult.FILTERED
        : countChanges(prepared.get().changes(), offer(prepared.get().record(), longestWait));
  }

  /** What the hook leaves of the record; empty if it drops it. */
  private Optional<EncodedPayload> hooked(
      List<String> pipelines, EncodedPayload payload, Optional<BeforeSend> hook) {
    if (hook.isEmpty()) {
      return Optional.of(payload);
    }
    Hooked result = Hooked.run(hook.get(), pipelines, payload, configuration.maxRecordBytes());
    if (result.payload().isEmpty()) {
      counts.countFiltered();
    }
    if (!result.failure().isEmpty()) {
      counts.countWithheld(hook.get().getClass().getName(), result.failure());
    }
    return result.payload();
  }

  /** The record, unless a hook drops it. */
  private Optional<Prepared> prepare(List<String> pipelines, Map<String, ?> payload) {
    if (configuration.beforeSend().isEmpty()) {
      Optional<FlatPayload> flat = FlatPayload.of(payload, configuration.maxRecordBytes());
      if (flat.isPresent()) {
        OutgoingRecord record = new OutgoingRecord(pipelines, flat.get(), nextKey());
        return Optional.of(new Prepared(record, UNCHANGED));
      }
    }
    return encode(pipelines, payload, Optional.empty());
  }

  /** As {@link #prepare}, encoded here: the payload of a log event is never flat. */
  private Optional<Prepared> encode(
      List<String> pipelines, Map<String, ?> payload, Optional<BeforeSend> ofAppender) {
    EncodedPayload encoded = JsonEncoder.encode(payload, configuration.maxRecordBytes());
    return hooked(pipelines, encoded, ofAppender)
        .flatMap(passed -> hooked(pipelines, passed, configuration.beforeSend()))
        .map(passed -> new Prepared(record(pipelines, passed.json()), passed));
  }

  /** A record, and how it differs from its payload. */
  private record Prepared(OutgoingRecord record, EncodedPayload changes) {}

  private SubmitResult countChanges(EncodedPayload encoded, SubmitResult result) {
    if (result.isAccepted()) {
      counts.countChanges(encoded.replacedValues(), encoded.truncated());
    }
    return result;
  }

  /**
   * As {@link #submit}, with a payload that is already JSON. It is delivered unchanged, unless
   * there is a {@link BeforeSend}.
   *
   * @throws IllegalArgumentException if the payload is not one JSON value, or is larger than {@link
   *     DataNadhiConfiguration#maxRecordBytes}
   */
  @CheckReturnValue
  public SubmitResult submitJson(List<String> pipelines, String payload) {
    int max = configuration.maxRecordBytes();
    if (payload.length() > max || Utf8.length(payload) > max) {
      throw new IllegalArgumentException(
          "The payload is larger than %d bytes: make it smaller, or raise async.max_record_bytes"
              .formatted(max));
    }
    EncodedPayload given = new EncodedPayload(JsonValidator.requireOneValue(payload), 0, false);
    Optional<EncodedPayload> passed = hooked(pipelines, given, configuration.beforeSend());
    return passed.isEmpty()
        ? SubmitResult.FILTERED
        : countChanges(passed.get(), offer(record(pipelines, passed.get().json())));
  }

  private OutgoingRecord record(List<String> pipelines, String json) {
    return new OutgoingRecord(pipelines, json, nextKey());
  }

  private String nextKey() {
    // Not with +, which takes milliseconds to link when the first record is submitted.
    return keyPrefix.concat(Long.toString(lastKey.incrementAndGet()));
  }

  private SubmitResult offer(OutgoingRecord record) {
    counts.countOffered(record);
    return counted(record, queue.offer(record));
  }

  private SubmitResult offer(OutgoingRecord record, Duration longestWait)
      throws InterruptedException {
    counts.countOffered(record);
    try {
      return counted(record, queue.offer(record, bounded(longestWait)));
    } catch (InterruptedException interrupted) {
      counts.countRefused(record, SubmitResult.QUEUE_FULL);
      throw interrupted;
    }
  }

  private SubmitResult counted(OutgoingRecord record, SubmitResult result) {
    if (result.isAccepted()) {
      counts.countSubmitted();
    } else {
      counts.countRefused(record, result);
    }
    return result;
  }

  /**
   * Waits until each record that was submitted before this call has an outcome: delivered, or
   * written to a file. Records that other threads submit meanwhile do not prolong the wait.
   *
   * @return false if some of those records still have no outcome after {@code longest}
   */
  public boolean flush(Duration longest) throws InterruptedException {
    return counts.outstanding().earlier().await(bounded(longest), clock, waiter);
  }

  private static Duration bounded(Duration wait) {
    return wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
  }

  /**
   * Sends all records in {@code dropped/} again, oldest file first, those that the main server has
   * rejected too. Records that cannot be delivered stay there. This method blocks until it has
   * tried all of them. Each batch is sent by one thread of all processes; while another process
   * sends one, this method returns at once.
   *
   * @throws IOException if a file cannot be read or written
   */
  public Redelivery redeliver() throws IOException, InterruptedException {
    FileRedelivery redelivery;
    try {
      redelivery = delivery.get().threads().redelivery();
    } catch (ExecutionException notStarted) {
      throw new IOException("The client could not be started", notStarted.getCause());
    }
    RedeliveryPass.Result result = redelivery.redeliverAll();
    return new Redelivery(result.delivered(), result.kept(), result.unreadable());
  }

  /** The counts of this client since it was opened. */
  public Counters counters() {
    return counts.snapshot(queue.depth(), queue.heldBytes(), echoPostState());
  }

  private EchoPostState echoPostState() {
    if (delivery.isDone() && !delivery.isCompletedExceptionally()) {
      return delivery.join().destinations().echoPost().state();
    }
    return configuration.echoPostDisabled()
        ? new EchoPostState(EchoPostState.Status.DISABLED, "by the configuration")
        : new EchoPostState(EchoPostState.Status.PREPARING, "");
  }

  /** Whether {@link #close} was called, or the JVM ends: then {@code submit} refuses records. */
  public boolean isClosed() {
    return queue.isClosed();
  }

  /** The settings of this client. */
  public DataNadhiConfiguration configuration() {
    return configuration;
  }

  /**
   * Refuses new records and waits up to the exit time-out for the delivery of the others. Those
   * that are left then are sent to EchoPost or written to a file.
   *
   * <p>When the JVM ends, the client does the same. But it accepts records until the application's
   * shutdown hooks have ended, within the same time-out.
   */
  @Override
  public void close() {
    SdkThread.runToEnd("datanadhi-close", () -> shutDown(clock.nanos()));
    ProcessEnd.removeHook(shutdownHook);
  }

  /** Without a lock at first, since a hook of the application may close this client. */
  private void endWithProcess() {
    long begin = clock.nanos();
    try {
      ProcessEnd.awaitLastRecords(configuration.exitTimeout());
    } catch (InterruptedException unexpected) {
      // No further record is awaited.
    } finally {
      shutDown(begin);
    }
  }

  private synchronized void shutDown(long begin) {
    if (isShutDown) {
      return;
    }
    isShutDown = true;
    queue.close();
    Optional<Delivery> started = Optional.empty();
    try {
      started = awaitStart(begin);
      long lost;
      if (started.isPresent()) {
        boolean unused = flush(left(begin));
        lost = started.get().threads().stop();
      } else {
        lost = writeToFiles();
      }
      if (lost > 0) {
        report(
            ("%d records are lost: they could not be delivered in time, and no file could be"
                    + " written in %s. Free disk space, or give this user write access to the"
                    + " directory")
                .formatted(lost, configuration.directory().resolve("dropped")));
      }
    } catch (InterruptedException | RuntimeException | Error unexpected) {
      queue.discard();
      report(
          "%d records are lost: the client could not be closed in order: %s"
              .formatted(counts.countLost(), unexpected));
    } finally {
      try {
        started.ifPresent(this::end);
      } finally {
        failures.close();
        timer.shutdownNow();
        io.shutdown();
      }
    }
  }

  /** Of the exit time-out. */
  private Duration left(long begin) {
    Duration left = configuration.exitTimeout().minusNanos(clock.nanos() - begin);
    return left.isNegative() ? Duration.ZERO : left;
  }

  /** Empty if the start has failed, or is not done when the exit time-out is over. */
  private Optional<Delivery> awaitStart(long begin) throws InterruptedException {
    while (!delivery.isDone() && !left(begin).isZero()) {
      waiter.sleep(START_POLL);
    }
    boolean unused =
        delivery.completeExceptionally(new TimeoutException("it was closed before it was started"));
    return delivery.isCompletedExceptionally() ? Optional.empty() : Optional.of(delivery.join());
  }

  /** Without delivery threads, for which a start is needed; returns how many records are lost. */
  private long writeToFiles() throws InterruptedException {
    DroppedFiles files = droppedFiles();
    int kept = 0;
    try {
      List<OutgoingRecord> batch = queue.take(FallbackServer.BATCH, FallbackServer.BATCH_BYTES);
      while (!batch.isEmpty()) {
        Path unused = files.write("exit", batch);
        counts.countDropped("exit", batch, "The client was closed before it had started");
        queue.settle(batch);
        kept += batch.size();
        batch = queue.take(FallbackServer.BATCH, FallbackServer.BATCH_BYTES);
      }
    } catch (IOException failed) {
      log.log(Level.ERROR, "No file can be written: " + failed);
    }
    if (kept > 0) {
      report(
          "The client was closed before it could deliver: %d records are kept in %s"
              .formatted(kept, files.directory()));
    }
    queue.discard();
    return counts.countLost();
  }

  private void end(Delivery started) {
    started.destinations().echoPost().close();
    started.destinations().mainServerHealth().close();
    started.destinations().fallbackServerHealth().close();
    started.http().close();
    started.jmxCounters().ifPresent(this::unregister);
  }

  /** At the end of a process the application's logging may be shut down already. */
  private void report(String message) {
    log.log(Level.ERROR, message);
    StandardError.print(message);
  }

  private Optional<JmxCounters> registerJmxCounters() {
    try {
      return Optional.of(JmxCounters.register(configuration.directory(), this::counters));
    } catch (JMException | RuntimeException | LinkageError unavailable) {
      log.log(Level.WARNING, "The counters are not available over JMX: " + unavailable);
      return Optional.empty();
    }
  }

  private void unregister(JmxCounters registered) {
    try {
      registered.close();
    } catch (JMException failed) {
      log.log(Level.DEBUG, "The counters stay registered over JMX: " + failed);
    }
  }

  private void writeResolvedConfiguration() {
    try {
      PrivateFiles.createDirectories(configuration.directory());
      ResolvedConfigurationFile.write(configuration);
    } catch (IOException | RuntimeException failed) {
      log.log(
          Level.WARNING,
          "%s cannot be written: %s. The client works without it"
              .formatted(configuration.directory().resolve(".config.resolved.json"), failed));
    }
  }
}
