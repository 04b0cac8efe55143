package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.config.ConfigurationLoader;
import com.datanadhi.sdk.internal.hook.Hooked;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.thread.ProcessEnd;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Submits the log events of a handler or appender to the process's one client for a directory,
 * which is opened with the first of them. Thread-safe.
 */
public final class SharedClient implements EventClient {
  private static final ThreadLocal<SharedClient> OPENING = new ThreadLocal<>();

  private final SharedClients clients;
  private final AppenderSettings settings;
  private final Way way;
  private final Runnable emptyBuffer;
  private volatile @Nullable DataNadhi client;
  private volatile EventResource resource;
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
    this.settings = settings;
    this.way = Way.of(settings);
    this.resource =
        new EventResource(ConfigurationLoader.serviceName(System.getenv(), settings.ofClient()));
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
  @Override
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
        return keep(event);
      }
      resource = new EventResource(open.configuration().serviceName());
      client = open;
    }
    return way.submit(open, event, resource);
  }

  /** Not under the lock of the clients: encoding and the hook run code of the application. */
  private SubmitResult keep(EventPayload event) {
    event.inCurrentSpan().from(resource);
    EncodedPayload encoded = JsonEncoder.encode(event.fields(), KeptRecords.MAX_RECORD_BYTES);
    if (way.beforeSend().isPresent()) {
      // The records can end in a file.
      Optional<EncodedPayload> passed =
          Hooked.run(way.beforeSend().get(), way.pipelines(), encoded, KeptRecords.MAX_RECORD_BYTES)
              .payload();
      if (passed.isEmpty()) {
        return SubmitResult.FILTERED;
      }
      encoded = passed.get();
    }
    return clients.keep(this, way.pipelines(), encoded)
        ? SubmitResult.ACCEPTED
        : SubmitResult.CLOSED;
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
  @Override
  public void closeInBackground() {
    DataNadhi unused = release();
    if (unused != null) {
      SdkThread.startOrRun("datanadhi-release", unused::close);
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
