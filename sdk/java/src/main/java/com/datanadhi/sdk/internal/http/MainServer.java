package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.http.BatchOutcome.Rejection;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Delivers records to the main server, one per request or in batches. Thread-safe. */
public final class MainServer {
  private static final String PATH = "/log";
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ServerClient client;
  private final Clock clock;

  /** Sends its requests with {@code client}. */
  public MainServer(ServerClient client, Clock clock) {
    this.client = client;
    this.clock = clock;
  }

  /** Whether the newest answer with a status 2xx, to a probe or a delivery, offers batches. */
  public boolean offersBatches() {
    return client.offer().batches();
  }

  /**
   * Delivers records within 10 s, each with a request of its own, all at the same time.
   *
   * @return their outcomes, in the same order
   */
  public List<DeliveryOutcome> deliver(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation)
      throws InterruptedException {
    List<RequestBody> bodies = records.stream().map(RequestBodies::single).toList();
    return client.postAll(PATH, bodies, 0, TIMEOUT, cancellation).stream()
        .map(exchange -> exchange.outcome(this::outcome))
        .toList();
  }

  private DeliveryOutcome outcome(Exchange.Answered answer) {
    return switch (StatusMeaning.of(answer.status())) {
      case DELIVERED -> new DeliveryOutcome.Delivered();
      case FINAL -> new DeliveryOutcome.Rejected(answer.status());
      case DOUBTFUL, UNAVAILABLE ->
          new DeliveryOutcome.Unavailable(Downtime.of(answer, clock.millis()));
    };
  }

  /**
   * Delivers a batch within 10 s.
   *
   * @param records records whose payloads contain no line break
   */
  public BatchOutcome deliverBatch(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation)
      throws InterruptedException {
    Exchange exchange =
        client.post(
            PATH,
            BatchBody.of(records, client.offer().gzip()),
            BatchAnswer.MAX_BYTES + 1,
            TIMEOUT,
            cancellation);
    if (exchange instanceof Exchange.Answered answer) {
      return outcome(records, answer);
    }
    return exchange instanceof Exchange.Failed failed
        ? new BatchOutcome.Unavailable(Downtime.of(failed))
        : new BatchOutcome.Cancelled();
  }

  private BatchOutcome outcome(List<OutgoingRecord> records, Exchange.Answered answer) {
    int status = answer.status();
    if (status == 200) {
      return answer.complete()
          ? decided(records, answer.body())
          : new BatchOutcome.Unreadable("it is cut off");
    }
    if (status == 413) {
      return new BatchOutcome.TooLarge();
    }
    return StatusMeaning.of(status) == StatusMeaning.UNAVAILABLE
        ? new BatchOutcome.Unavailable(Downtime.of(answer, clock.millis()))
        : new BatchOutcome.Refused(status);
  }

  private static BatchOutcome decided(List<OutgoingRecord> records, byte[] body) {
    BatchAnswer answer;
    try {
      answer = BatchAnswer.parse(body, records.size());
    } catch (IOException unreadable) {
      return new BatchOutcome.Unreadable(String.valueOf(unreadable.getMessage()));
    }
    List<OutgoingRecord> delivered = new ArrayList<>();
    List<Rejection> rejected = new ArrayList<>();
    for (int i = 0; i < records.size(); i++) {
      Integer status = answer.rejected().get(i + 1);
      if (status == null) {
        delivered.add(records.get(i));
      } else {
        rejected.add(new Rejection(records.get(i), status));
      }
    }
    return new BatchOutcome.Decided(delivered, rejected);
  }
}
