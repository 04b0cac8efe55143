package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Submits the log events of a handler or appender to the process's one client for a directory. The
 * client is opened by the first event, not by the configuration of the logging library, during
 * which logging does not work yet; but the SDK's configuration is checked then. Thread-safe.
 */
public final class SharedClient implements AutoCloseable {
  private static final ThreadLocal<SharedClient> OPENING = new ThreadLocal<>();

  private final SharedClients clients;
  private final List<String> pipelines;
  private final Duration longestWait;
  private volatile @Nullable DataNadhi client;
  private volatile boolean closed;

  /**
   * @param directory of the SDK's configuration
   * @param pipelines names, separated by commas
   * @param maxWaitMillis how long {@link #submit} waits at most if the queue is full
   */
  public SharedClient(String directory, String pipelines, long maxWaitMillis) {
    this.longestWait = Duration.ofMillis(Math.max(0, maxWaitMillis));
    this.clients = SharedClients.of(Path.of(directory));
    this.pipelines =
        Arrays.stream(pipelines.split(",")).map(String::strip).filter(p -> !p.isEmpty()).toList();
    clients.add(this);
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
   * up to the exit time-out; but not if the application uses it too.
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

  private @Nullable DataNadhi release() {
    closed = true;
    client = null;
    return clients.remove(this);
  }
}
