package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.upstream.ServerResponse;
import java.time.Duration;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeliveryOutcomeTest {
  private static final Duration WAIT = Duration.ofSeconds(9);
  private static final Set<Integer> UNAVAILABLE = Set.of(407, 408, 425, 429);
  private static final Set<Integer> DOUBTFUL = Set.of(401, 403, 404, 405, 500);

  static IntStream everyStatus() {
    return IntStream.rangeClosed(100, 599);
  }

  private static DeliveryOutcome expected(int status) {
    // The rows of the contract, in its order.
    if (status >= 200 && status <= 299) {
      return new DeliveryOutcome.Delivered();
    }
    if (UNAVAILABLE.contains(status) || status >= 501) {
      return new DeliveryOutcome.Unavailable("HTTP " + status, WAIT);
    }
    if ((status >= 300 && status <= 399) || DOUBTFUL.contains(status)) {
      return new DeliveryOutcome.Doubtful(status, "body", WAIT);
    }
    if (status >= 400 && status <= 499) {
      return new DeliveryOutcome.Rejected(status, "body");
    }
    return new DeliveryOutcome.Unavailable("HTTP " + status, WAIT);
  }

  @ParameterizedTest
  @MethodSource("everyStatus")
  void every_status_is_classified_as_in_the_contract(int status) {
    assertThat(DeliveryOutcome.of(new ServerResponse.Answered(status, WAIT, "body")))
        .isEqualTo(expected(status));
  }

  /// The connection is kept exactly after the results that decide about the record at once.
  @ParameterizedTest
  @MethodSource("everyStatus")
  void a_response_is_final_when_the_record_is_delivered_or_rejected(int status) {
    ServerResponse response = new ServerResponse.Answered(status, null, "");

    assertThat(response.isFinal())
        .isEqualTo(
            DeliveryOutcome.of(response) instanceof DeliveryOutcome.Delivered
                || DeliveryOutcome.of(response) instanceof DeliveryOutcome.Rejected);
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.ValueSource(ints = {-1, 0, 99, 600, 999})
  void an_invalid_status_means_unavailable(int status) {
    assertThat(DeliveryOutcome.of(new ServerResponse.Answered(status, null, "")))
        .isEqualTo(new DeliveryOutcome.Unavailable("HTTP " + status, null));
  }

  @Test
  void no_response_means_unavailable() {
    assertThat(DeliveryOutcome.of(new ServerResponse.NoAnswer("timed out")))
        .isEqualTo(new DeliveryOutcome.Unavailable("timed out", null));
  }
}
