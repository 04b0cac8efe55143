package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.thread.ProcessEnd;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Submits the log events of a handler or appender to the process's one client for a directory,
 * which is opened with the first of them. Thread-safe.
 */
public final class SharedClient implements AutoCloseable {
  private static final ThreadLocal<SharedClient> OPENING = new ThreadLocal<>();

  private final SharedClients clients;
  private final List<String> pipelines;
  private final AppenderSettings settings;
  private final Duration longestWait;
  private final Runnable emptyBuffer;
  private volatile @Nullable DataNadhi client;
  private volatile boolean closed;

  /**
   * Begins the use of the client for a directory.
   *
   * @param settings of the appender, which also say where that directory is
   * @param emptyBuffer runs at the end of the process, if this is not closed yet: it makes the
   *     logging library pass on the events that it holds
   */
  public SharedClient(AppenderSettings settings, Runnable emptyBuffer) {
    this.clients = SharedClients.of(Path.of(settings.directory()));
    this.pipelines = settings.pipelineNames();
    this.settings = settings;
    this.longestWait = Duration.ofMillis(Math.max(0, settings.maxWaitMillis()));
    this.emptyBuffer = emptyBuffer;
    ProcessEnd.addBuffer(emptyBuffer);
    boolean isOpening = OPENING.get() != null;
    OPENING.set(this);
    try {
      clients.add(this);
    } finally {
      if (!isOpening) {
        OPENING.remove();
      }
    }
  }

  /**
   * Submits the event; after {@link #close} it is refused. If the client was closed, another one is
   * opened. An event that is logged on this thread while it opens a client is ignored, and counts
   * as accepted. While the configuration is invalid, events are kept.
   */
  public SubmitResult submit(EventPayload event) {
    if (closed) {
      return SubmitResult.CLOSED;
    }
    DataNadhi open = client;
    if (open == null || open.isClosed()) {
      if (OPENING.get() != null) {
        return SubmitResult.ACCEPTED;
      }
      OPENING.set(this);
      try {
        open = clients.openUnlessInvalid(this);
      } finally {
        OPENING.remove();
      }
      if (open == null) {
        // Not under the lock of the clients: encoding runs code of the application.
        EncodedPayload encoded = JsonEncoder.encode(event.fields(), KeptRecords.MAX_RECORD_BYTES);
        return clients.keep(this, pipelines, encoded) ? SubmitResult.ACCEPTED : SubmitResult.CLOSED;
      }
      client = open;
    }
    try {
      return open.submit(pipelines, event.fields(), longestWait);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return SubmitResult.QUEUE_FULL;
    }
  }

  /** Why an event was refused, for people. */
  public static String reason(SubmitResult refused) {
    return "a record was refused: "
        + (refused == SubmitResult.QUEUE_FULL
            ? "the queue is full (raise async.queue_bytes, or set maxWaitMillis)"
            : "the client is closed");
  }

  /**
   * Ends the use of the client. The last handler or appender of a directory closes it, which takes
   * up to the exit time-out; but not if the application uses it too, nor at the end of the process,
   * when it is closed in any case.
   */
  @Override
  public void close() {
    DataNadhi unused = release();
    if (unused != null) {
      unused.close();
    }
  }

  /**
   * As {@link #close}, but does not wait for the client. If the process ends meanwhile, its end
   * waits up to the exit time-out.
   */
  public void closeInBackground() {
    DataNadhi unused = release();
    if (unused != null) {
      SdkThread.named("datanadhi-release", unused::close).start();
    }
  }

  AppenderSettings settings() {
    return settings;
  }

  private @Nullable DataNadhi release() {
    ProcessEnd.removeBuffer(emptyBuffer);
    closed = true;
    client = null;
    return clients.remove(this);
  }
}
