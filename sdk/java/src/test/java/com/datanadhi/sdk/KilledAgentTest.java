package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * kill -9 of the agent and its guardian in its start and while it leaves; {@link EchoPostTest} and
 * {@link OverflowTest} have it while it serves.
 */
class KilledAgentTest extends AbstractSdkTest {
  @BeforeEach
  void theMainServerIsDown() {
    main.goDown();
  }

  private Path socket() {
    return directory.resolve("echopost/data-nadhi-agent.sock");
  }

  @Test
  void killed_in_its_start_it_is_started_again_at_once() throws Exception {
    Agents.install(directory, "sleep 1");
    DataNadhi client = open(configuration());
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    submit(client, 0, 10);
    await().atMost(SOON).until(() -> Agents.starts(directory) == 1);
    Agents.killOnce(directory);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
    assertThat(Agents.starts(directory)).isEqualTo(2);
    assertNothingIsLost(client, 10);
  }

  @Test
  void killed_in_each_start_records_go_on_without_it_until_one_succeeds() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    Thread killer =
        new Thread(() -> {
          while (!Thread.currentThread().isInterrupted()) {
            Agents.killOnce(directory);
          }
        });
    use(killer::interrupt);
    killer.start();
    submit(client, 0, 50);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isZero();
    assertThat(client.counters().echoPost().detail()).contains("ended with status 137");
    fallback.goDown();
    submit(client, 50, 100);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(client.counters().dropped()).containsOnlyKeys("undeliverable");
    killer.interrupt();
    killer.join();

    await()
        .atMost(SOON)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(SOON)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isPositive();
        });
    fallback.comeUp();
    assertNothingIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void killed_while_it_leaves_nothing_is_lost() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    int rounds = 3;
    for (int round = 0; round < rounds; round++) {
      submit(client, round * 20, round * 20 + 10);
      assertThat(client.flush(SOON)).isTrue();
      main.comeUp();
      // It delivers, lingers, withdraws its name; and is killed before or while it says goodbye.
      await()
          .pollInterval(java.time.Duration.ofMillis(1))
          .atMost(SOON)
          .until(() -> !Files.exists(socket()));
      main.goDown();
      submit(client, round * 20 + 10, round * 20 + 20);
      Thread.sleep(10L * round);
      Agents.killOnce(directory);
    }
    assertNothingIsLost(client, rounds * 20);
  }
}
