package com.datanadhi.sdk.opentelemetry;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.thread.SdkThread;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Delivers log records of OpenTelemetry's SDK through a client. Thread-safe.
 *
 * <pre>{@code
 * LogRecordExporter exporter =
 *     DataNadhiLogRecordExporter.builder(DataNadhiConfiguration.load(Path.of(".datanadhi")))
 *         .pipelines(List.of("orders"))
 *         .build();
 * SdkLoggerProvider provider =
 *     SdkLoggerProvider.builder()
 *         .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporter).build())
 *         .build();
 * }</pre>
 *
 * <p>An export is successful when the client has accepted all records, which it delivers in the
 * background. If it has refused some, because its queue was full or it was closed, the export has
 * failed, and the others are delivered all the same.
 */
public final class DataNadhiLogRecordExporter implements LogRecordExporter {
  /** As long as OpenTelemetry's processors wait for an export by default. */
  private static final Duration LONGEST_FLUSH = Duration.ofSeconds(30);

  private final DataNadhi client;
  private final boolean ownsClient;
  private final List<String> pipelines;
  private final Duration longestWait;
  private final LogRecordPayloads payloads;
  private final AtomicReference<@Nullable CompletableResultCode> shutdown = new AtomicReference<>();

  private DataNadhiLogRecordExporter(DataNadhi client, boolean ownsClient, Builder builder) {
    this.client = client;
    this.ownsClient = ownsClient;
    this.pipelines = builder.pipelines;
    this.longestWait = builder.longestWait;
    this.payloads = new LogRecordPayloads(!client.configuration().resourceDisabled());
  }

  /** For an exporter with a client of the application, which the exporter never closes. */
  public static Builder builder(DataNadhi client) {
    return new Builder(client, null);
  }

  /**
   * For an exporter that opens a client with this configuration when it is built, and closes it
   * when it is shut down.
   */
  public static Builder builder(DataNadhiConfiguration configuration) {
    return new Builder(null, configuration);
  }

  /**
   * Submits the records. Those that the SDK itself has logged are ignored, and count as accepted:
   * each record that is delivered would cause others.
   */
  @Override
  public CompletableResultCode export(Collection<LogRecordData> logs) {
    if (shutdown.get() != null) {
      return CompletableResultCode.ofExceptionalFailure(
          new IllegalStateException("The exporter was shut down"));
    }
    int refused = 0;
    SubmitResult reason = SubmitResult.ACCEPTED;
    for (LogRecordData log : logs) {
      if (!EventPayload.isFromSdk(log.getInstrumentationScopeInfo().getName(), null)) {
        SubmitResult result = submit(payloads.of(log));
        if (!result.isAccepted()) {
          refused++;
          reason = result;
        }
      }
    }
    return refused == 0
        ? CompletableResultCode.ofSuccess()
        : CompletableResultCode.ofExceptionalFailure(
            new IllegalStateException(
                "%d of %d log records were refused: %s".formatted(refused, logs.size(), reason)));
  }

  private SubmitResult submit(Map<String, Object> payload) {
    try {
      return client.submit(pipelines, payload, longestWait);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return SubmitResult.QUEUE_FULL;
    }
  }

  /**
   * Waits in the background until each record that was exported so far has an outcome: delivered,
   * or written to a file. It fails if one has none after 30 s.
   */
  @Override
  public CompletableResultCode flush() {
    CompletableResultCode result = new CompletableResultCode();
    SdkThread.startOrRun("datanadhi-flush", () -> complete(result, flushClient()));
    return result;
  }

  /**
   * Refuses further records, and does what {@link #flush} does. If the exporter has opened the
   * client, it closes it instead, which takes up to the exit time-out, and fails if records are
   * lost. Further calls return the result of the first one.
   */
  @Override
  public CompletableResultCode shutdown() {
    CompletableResultCode result = new CompletableResultCode();
    CompletableResultCode earlier = shutdown.compareAndExchange(null, result);
    if (earlier != null) {
      return earlier;
    }
    SdkThread.startOrRun(
        "datanadhi-shutdown", () -> complete(result, ownsClient ? closeClient() : flushClient()));
    return result;
  }

  private boolean flushClient() {
    try {
      return client.flush(LONGEST_FLUSH);
    } catch (InterruptedException unexpected) {
      return false;
    }
  }

  private boolean closeClient() {
    client.close();
    return client.counters().lost() == 0;
  }

  private static void complete(CompletableResultCode result, boolean successful) {
    CompletableResultCode unused = successful ? result.succeed() : result.fail();
  }

  /** Without the API key. */
  @Override
  public String toString() {
    return "DataNadhiLogRecordExporter[directory=%s, pipelines=%s]"
        .formatted(client.configuration().directory(), pipelines);
  }

  /** Builds an exporter. Not thread-safe. */
  public static final class Builder {
    private final @Nullable DataNadhi client;
    private final @Nullable DataNadhiConfiguration configuration;
    private List<String> pipelines = List.of();
    private Duration longestWait = Duration.ZERO;

    private Builder(@Nullable DataNadhi client, @Nullable DataNadhiConfiguration configuration) {
      this.client = client;
      this.configuration = configuration;
    }

    /** Sets the pipelines that the server runs for each record, in this order; default none. */
    public Builder pipelines(List<String> names) {
      this.pipelines = List.copyOf(names);
      return this;
    }

    /**
     * Sets how long an export waits at most for space for each record if the queue of the client is
     * full; default not at all. With a {@code SimpleLogRecordProcessor} it is the logging thread
     * that waits.
     */
    public Builder longestWait(Duration time) {
      this.longestWait = time;
      return this;
    }

    /** Returns the exporter, and opens its client unless the application has given one. */
    public DataNadhiLogRecordExporter build() {
      return client == null
          ? new DataNadhiLogRecordExporter(
              DataNadhi.open(Objects.requireNonNull(configuration)), true, this)
          : new DataNadhiLogRecordExporter(client, false, this);
    }
  }
}
