package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.BeforeSend;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.hook.NamedHook;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a handler or appender submits its events to. Thread-safe. */
public interface EventClient extends AutoCloseable {
  /**
   * The application's own client, or else the shared one of the directory.
   *
   * @param own the application opens and closes it; null for the shared one
   * @param settings of the appender; of those for the client nothing is used with an own one
   * @param emptyBuffer runs at the end of the process, if this is not closed yet: it makes the
   *     logging library pass on the events that it holds
   */
  static EventClient of(@Nullable DataNadhi own, AppenderSettings settings, Runnable emptyBuffer) {
    return own == null
        ? new SharedClient(settings, emptyBuffer)
        : new OwnClient(own, settings, emptyBuffer);
  }

  /**
   * Submits the event; after {@link #close} it is refused. If the queue is full, waits for as long
   * as the settings say.
   */
  SubmitResult submit(EventPayload event);

  /** Ends the use of the client, and closes it if nothing else uses it; an own one stays open. */
  @Override
  void close();

  /** As {@link #close}, but does not wait for the client. */
  void closeInBackground();

  /** Why an event was refused, for people. */
  static String reason(SubmitResult refused) {
    return "a record was refused: "
        + (refused == SubmitResult.QUEUE_FULL
            ? "the queue is full (raise async.queue_bytes, or set maxWaitMillis)"
            : "the client is closed");
  }

  /**
   * How the events of one appender are submitted.
   *
   * @param pipelines their names
   * @param longestWait for space in the queue
   * @param beforeSend the appender's hook, which runs before that of the client
   */
  record Way(List<String> pipelines, Duration longestWait, Optional<BeforeSend> beforeSend) {
    static Way of(AppenderSettings settings) {
      return new Way(
          settings.pipelineNames(),
          Duration.ofMillis(Math.max(0, settings.maxWaitMillis())),
          NamedHook.of(settings.beforeSend()));
    }

    /**
     * @param event gets the current span and, unless it is not wanted, the resource
     */
    SubmitResult submit(DataNadhi client, EventPayload event, EventResource resource) {
      event.inCurrentSpan();
      if (!client.configuration().resourceDisabled()) {
        event.from(resource);
      }
      try {
        return EncodedSubmit.provided()
            .submitEvent(client, pipelines, event.fields(), longestWait, beforeSend);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return SubmitResult.QUEUE_FULL;
      }
    }
  }
}
