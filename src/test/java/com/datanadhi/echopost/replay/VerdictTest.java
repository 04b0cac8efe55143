package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.upstream.Answer;
import java.time.Duration;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VerdictTest {
  private static final Duration WAIT = Duration.ofSeconds(9);
  private static final Set<Integer> UNAVAILABLE = Set.of(407, 408, 425, 429);
  private static final Set<Integer> DOUBTFUL = Set.of(401, 403, 404, 405, 500);

  static IntStream everyStatus() {
    return IntStream.rangeClosed(100, 599);
  }

  private static Verdict expected(int status) {
    // The rows of the contract, in its order.
    if (status >= 200 && status <= 299) {
      return new Verdict.Delivered();
    }
    if (UNAVAILABLE.contains(status) || status >= 501) {
      return new Verdict.Unavailable("HTTP " + status, WAIT);
    }
    if ((status >= 300 && status <= 399) || DOUBTFUL.contains(status)) {
      return new Verdict.Doubtful(status, "body", WAIT);
    }
    if (status >= 400 && status <= 499) {
      return new Verdict.Refused(status, "body");
    }
    return new Verdict.Unavailable("HTTP " + status, WAIT);
  }

  @ParameterizedTest
  @MethodSource("everyStatus")
  void every_status_is_judged_by_the_contracts_table(int status) {
    assertThat(Verdict.of(new Answer.Answered(status, WAIT, "body"))).isEqualTo(expected(status));
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.ValueSource(ints = {-1, 0, 99, 600, 999})
  void what_is_no_status_means_unavailable(int status) {
    assertThat(Verdict.of(new Answer.Answered(status, null, "")))
        .isEqualTo(new Verdict.Unavailable("HTTP " + status, null));
  }

  @Test
  void no_answer_means_unavailable() {
    assertThat(Verdict.of(new Answer.NoAnswer("timed out")))
        .isEqualTo(new Verdict.Unavailable("timed out", null));
  }
}
