package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;

/** Records in the buffer of an agent that is gone, its guardian with it. */
class BacklogTest extends AbstractSdkTest {
  /** Leaves {@code count} of them, and no client. */
  private void leave(int count) throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, count);
    assertThat(client.flush(SOON)).isTrue();
    Agents.killAll(directory);
    client.close();
  }

  @Test
  void it_is_brought_out_once_the_main_server_is_back_though_nobody_submits_anything()
      throws Exception {
    main.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(SOON)).isTrue();
    Agents.killAll(directory);
    main.comeUp();
    await().atMost(SOON).until(() -> main.keys().size() == 10);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 10));
    assertThat(Agents.starts(directory)).isEqualTo(2);
  }

  @Test
  void it_is_brought_out_by_the_next_process_of_the_application() throws Exception {
    leave(10);
    main.comeUp();
    DataNadhi client = open(configuration());
    await().atMost(SOON).until(() -> main.keys().size() == 10);
    assertThat(client.counters().submitted()).isZero();
    assertThat(Agents.starts(directory)).isEqualTo(2);
  }

  @Test
  void what_a_damaged_buffer_still_holds_is_brought_out_too() throws Exception {
    leave(10);
    Path home = directory.resolve("echopost");
    try (SeekableByteChannel log =
        Files.newByteChannel(home.resolve("buffer.db-wal"), StandardOpenOption.WRITE)) {
      log.write(ByteBuffer.wrap(new byte[32]));
    }
    Files.deleteIfExists(home.resolve("buffer.db-shm"));
    main.comeUp();
    DataNadhi client = open(configuration());
    await().atMost(SOON).until(() -> main.keys().size() == 10);
    assertThat(client.counters().submitted()).isZero();
  }

  @Test
  void where_nothing_is_left_no_agent_is_started_and_nobody_looks_again() throws Exception {
    leave(10);
    main.comeUp();
    Agents.drain(directory, main.url());
    assertThat(main.keys()).hasSize(10);

    DataNadhi client = open(configuration());
    await().atMost(SOON).until(() -> Agents.looks(directory) > 0);
    Thread.sleep(TIMEOUTS.look().multipliedBy(10).toMillis());
    assertThat(Agents.looks(directory)).isEqualTo(1);
    assertThat(Agents.starts(directory)).isEqualTo(1);
    assertThat(client.counters().echoPost().status()).isEqualTo(EchoPostState.Status.READY);
  }

  @Test
  void with_echopost_disabled_it_stays_where_it_is() throws Exception {
    leave(1);
    main.comeUp();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 1, 2);
    Thread.sleep(TIMEOUTS.look().multipliedBy(5).toMillis());
    assertThat(Agents.looks(directory)).isZero();
    assertThat(seqs(main.deliveries())).containsExactly(1);
  }
}
