package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.BeforeSend;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Submits the payloads of appenders: with their own hooks, or encoded before there was a client, so
 * that the client counts how they were changed. The client, whose public methods do not offer that,
 * provides it. Thread-safe.
 */
public interface EncodedSubmit {
  /**
   * Submits the payload.
   *
   * @throws IllegalArgumentException if it is larger than the client's limit
   */
  SubmitResult submit(DataNadhi client, List<String> pipelines, EncodedPayload payload);

  /**
   * Submits an event, of which {@code first} decides before the client's own hook does.
   *
   * @param longestWait for space in the queue
   */
  SubmitResult submitEvent(
      DataNadhi client,
      List<String> pipelines,
      Map<String, ?> payload,
      Duration longestWait,
      Optional<BeforeSend> first)
      throws InterruptedException;

  /** Called by the client's class when it is loaded. */
  static void provide(EncodedSubmit submit) {
    Provided.submit = submit;
  }

  /** What the client's class has provided. */
  static EncodedSubmit provided() {
    return Objects.requireNonNull(Provided.submit, "there is no client");
  }

  /** Holds it. */
  final class Provided {
    private static volatile @Nullable EncodedSubmit submit;

    private Provided() {}
  }
}
