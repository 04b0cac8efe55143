package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.QueueLimits;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Takes an event as a client does, but delivers nothing. An appender submits one to it when it
 * starts. That loads and links the classes which an event needs: else the thread that logs first
 * would do it, for 5 to 100 ms. Thread-safe.
 */
public final class FirstEvent implements EventClient {
  private static final int BYTES = 1 << 16;

  private final EventResource resource = new EventResource(Optional.empty());

  /** Runs {@code append}, which submits an event to one of these. */
  public static void rehearse(Runnable append) {
    try {
      append.run();
    } catch (RuntimeException | LinkageError failed) {
      // The first event of the application fails in the same way, and that is reported.
    }
  }

  @Override
  public SubmitResult submit(EventPayload event) {
    event.inCurrentSpan().from(resource);
    EncodedPayload encoded = JsonEncoder.encode(event.fields(), BYTES);
    OutgoingRecord record = new OutgoingRecord(List.of(), encoded.json(), "first");
    try {
      return new RecordQueue(new QueueLimits(BYTES, 0, 1, BYTES), Clock.system())
          .offer(record, Duration.ZERO);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return SubmitResult.QUEUE_FULL;
    }
  }

  @Override
  public void close() {
    // Nothing is open.
  }

  @Override
  public void closeInBackground() {
    // Nothing is open.
  }
}
