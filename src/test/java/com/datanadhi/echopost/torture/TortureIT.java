package com.datanadhi.echopost.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Runs each campaign against the agent for a short time. `scripts/test` runs those against the
/// hub, once it is built.
class TortureIT {
  private static final long SECONDS = Long.getLong("echopost.torture.seconds", 10);

  static List<String> campaigns() {
    return Torture.ALL.stream()
        .map(Campaign::name)
        .filter(name -> !name.startsWith("hub-"))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("campaigns")
  void every_promise_is_kept_under_campaign(String name) throws Exception {
    Campaign campaign =
        Torture.ALL.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    assumeThat(campaign.skipReason()).isEmpty();

    boolean passed =
        Torture.run(
            campaign, Long.getLong("echopost.seed", new Random().nextLong() >>> 1), 0, SECONDS);

    assertThat(passed).isTrue();
  }
}
