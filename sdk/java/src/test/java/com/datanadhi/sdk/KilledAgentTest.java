package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The agent and its guardian are killed with SIGKILL while the agent starts or shuts down. {@link
 * EchoPostTest} and {@link OverflowTest} kill them while the agent receives records.
 */
class KilledAgentTest extends AbstractSdkTest {
  @BeforeEach
  void stopMainServer() {
    main.goDown();
  }

  private Path socket() {
    return directory.resolve("echopost/data-nadhi-agent.sock");
  }

  @Test
  void an_agent_that_is_killed_while_it_starts_is_started_again_at_once() throws Exception {
    Agents.install(directory, "sleep 1");
    DataNadhi client = open(configuration());
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    submit(client, 0, 10);
    await().atMost(TIME_LIMIT).until(() -> Agents.starts(directory) == 1);
    Agents.killOnce(directory);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
    assertThat(Agents.starts(directory)).isEqualTo(2);
    assertNoRecordIsLost(client, 10);
  }

  @Test
  void records_go_to_the_next_destination_while_each_started_agent_is_killed() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    Thread killer =
        new Thread(() -> {
          while (!Thread.currentThread().isInterrupted()) {
            Agents.killOnce(directory);
          }
        });
    closeAfterTest(killer::interrupt);
    killer.start();
    submit(client, 0, 50);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isZero();
    assertThat(client.counters().echoPost().detail()).contains("ended with status 137");
    fallback.goDown();
    submit(client, 50, 100);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().dropped()).containsOnlyKeys("undeliverable");
    killer.interrupt();
    killer.join();

    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isPositive();
        });
    fallback.comeUp();
    assertNoRecordIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void no_record_is_lost_if_the_agent_is_killed_while_it_shuts_down() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    int rounds = 3;
    for (int round = 0; round < rounds; round++) {
      submit(client, round * 20, round * 20 + 10);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      main.comeUp();
      // The agent delivers and stays for a while. Then it deletes its socket, and it is killed
      // before or while it sends GOAWAY.
      await()
          .pollInterval(java.time.Duration.ofMillis(1))
          .atMost(TIME_LIMIT)
          .until(() -> !Files.exists(socket()));
      main.goDown();
      submit(client, round * 20 + 10, round * 20 + 20);
      // Another moment of the shutdown in each round, which no condition marks.
      Thread.sleep(10L * round);
      Agents.killOnce(directory);
    }
    assertNoRecordIsLost(client, rounds * 20);
  }
}
