package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.upstream.Offer;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Replay to a server that offers batches.
abstract class ReplayBatchFixture extends ReplayFixture {
  @BeforeEach
  final void offer() {
    client.offer = new Offer(true, false);
  }

  @AfterEach
  final void noBatchIsLeftOpen() {
    assertThat(client.openBatches).as("batches that nobody closed").hasValue(0);
  }

  static String[] numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
  }

  static String[] numbers(int count) {
    return numbers(0, count);
  }

  final List<Integer> batchSizes() {
    return client.batches.stream().map(List::size).toList();
  }

  /// Turns until there is nothing left to do, each pause passing at once.
  final void drain() throws Exception {
    for (int turns = 0; !buffer.isDrained(); turns++) {
      assertThat(turns).isLessThan(10_000);
      if (server.state().health() != ServerHealth.UP) {
        clock.advance(server.takePause());
        server.comeUp();
        client.probes++;
      }
      clock.advance(replay.turn());
    }
  }
}
