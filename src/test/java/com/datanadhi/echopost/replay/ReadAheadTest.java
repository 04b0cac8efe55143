package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.is;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.upstream.Offer;
import com.datanadhi.echopost.upstream.ServerResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Batches that are read while one is in flight: the first is that of 256 records, after the 255 of
/// smaller ones.
class ReadAheadTest extends ReplayBatchFixture {
  private static final int FIRST = 256;

  private void store(NewRecord... records) {
    var _ = Appended.to(buffer, records).outcome();
  }

  private void store(int from, int to, String apiKey) {
    store(
        Arrays.stream(numbers(from, to))
            .map(payload -> Appended.record(payload, apiKey, null))
            .toArray(NewRecord[]::new));
  }

  /// Answers the first batch that has another read behind it, once that is encoded.
  private void onFirst(Function<List<String>, ServerResponse> answer) {
    client.batchAnswers =
        batch -> {
          if (batch.size() != FIRST) {
            return ScriptedClient.stored(batch);
          }
          client.batchAnswers = ScriptedClient::stored;
          await().untilAtomic(client.openBatches, is(2));
          return answer.apply(batch);
        };
  }

  @Test
  void the_next_batch_is_encoded_while_one_is_in_flight_and_is_sent_as_it_is() throws Exception {
    store(0, 5_000, "");
    onFirst(ScriptedClient::stored);
    drain();
    assertThat(client.arrivals).containsExactly(numbers(5_000));
    assertThat(batchSizes())
        .containsExactly(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000, 1_000, 1_000, 977);
    assertThat(client.encoded).hasValue(client.batches.size());
    assertThat(sql("SELECT count(*) FROM records")).isEqualTo("0");
  }

  @Test
  void a_batch_is_committed_before_the_one_that_was_read_meanwhile_is_sent() throws Exception {
    store(0, 3_000, "");
    client.batchAnswers =
        batch -> {
          try {
            assertThat(sql("SELECT json_data FROM records ORDER BY id LIMIT 1"))
                .isEqualTo(batch.getFirst());
          } catch (Exception failed) {
            throw new AssertionError(failed);
          }
          return ScriptedClient.stored(batch);
        };
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
  }

  static Stream<ServerResponse> answersForWhichTheSameRecordsAreSentAgain() {
    return Stream.of(
        new ServerResponse.Answered(503, Duration.ofSeconds(1), ""),
        new ServerResponse.NoAnswer("timed out"),
        ScriptedClient.answer("{\"stored\":" + FIRST),
        ScriptedClient.answer("{\"stored\":" + (FIRST - 1) + ",\"errors\":[]}"),
        new ServerResponse.Answered(413, null, ""),
        new ServerResponse.Answered(400, null, ""));
  }

  @ParameterizedTest
  @MethodSource("answersForWhichTheSameRecordsAreSentAgain")
  void after_a_batch_that_does_not_count_its_own_records_come_next(ServerResponse answer)
      throws Exception {
    store(0, 3_000, "");
    onFirst(_ -> answer);
    drain();
    String[] again =
        Stream.of(numbers(255 + FIRST), numbers(255, 3_000))
            .flatMap(Arrays::stream)
            .toArray(String[]::new);
    assertThat(client.arrivals).containsExactly(again);
    assertThat(buffer.totals().delivered()).isEqualTo(3_000);
  }

  @Test
  void after_a_rejected_line_the_order_is_the_same() throws Exception {
    store(0, 3_000, "");
    onFirst(batch ->
        ScriptedClient.answer(
            "{\"stored\":255,\"errors\":[{\"line\":" + batch.size() + ",\"status\":422}]}"));
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
    assertThat(sql("SELECT group_concat(json_data) FROM rejected")).isEqualTo("510");
    assertThat(buffer.totals().delivered()).isEqualTo(2_999);
  }

  @Test
  void records_that_arrive_meanwhile_come_last() throws Exception {
    store(0, 1_100, "");
    onFirst(batch -> {
      store(1_100, 3_000, "");
      return ScriptedClient.stored(batch);
    });
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
    assertThat(client.encoded).hasValue(client.batches.size());
  }

  @Test
  void a_damaged_record_behind_the_batch_in_flight_is_never_sent() throws Exception {
    store(0, 3_000, "");
    change("UPDATE records SET json_data='x' WHERE id=601");
    drain();
    assertThat(client.arrivals)
        .containsExactly(
            Stream.of(numbers(600), numbers(601, 3_000))
                .flatMap(Arrays::stream)
                .toArray(String[]::new));
    assertThat(sql("SELECT id||':'||status FROM rejected")).isEqualTo("601:0");
  }

  @Test
  void missing_rows_behind_the_batch_in_flight_are_passed_over() throws Exception {
    store(0, 3_000, "");
    change("DELETE FROM records WHERE id IN (512, 601)");
    drain();
    assertThat(client.arrivals)
        .containsExactly(
            Stream.of(numbers(511), numbers(512, 600), numbers(601, 3_000))
                .flatMap(Arrays::stream)
                .toArray(String[]::new));
    assertThat(buffer.isDrained()).isTrue();
  }

  @Test
  void records_behind_the_batch_in_flight_with_other_api_keys_keep_their_order() throws Exception {
    store(0, 600, "a");
    for (int i = 600; i < 700; i++) {
      store(i, i + 1, i % 2 == 0 ? "b" : "a");
    }
    store(700, 3_000, "c");
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
    assertThat(client.deliveries).extracting(ScriptedClient::payload).contains("650");
  }

  @Test
  void a_batch_that_was_read_ahead_is_not_sent_once_the_offer_has_changed() throws Exception {
    store(0, 1_100, "");
    onFirst(batch -> {
      client.offer = Offer.NONE;
      return ScriptedClient.stored(batch);
    });
    drain();
    assertThat(client.arrivals).containsExactly(numbers(1_100));
    assertThat(client.deliveries).hasSize(1_100 - 255 - FIRST);
  }

  @Test
  void a_batch_that_was_read_ahead_is_packed_again_once_the_server_takes_packed_ones()
      throws Exception {
    store(0, 1_100, "");
    onFirst(batch -> {
      client.offer = new Offer(true, true);
      return ScriptedClient.stored(batch);
    });
    drain();
    assertThat(client.arrivals).containsExactly(numbers(1_100));
    assertThat(client.packed)
        .containsExactlyElementsOf(
            IntStream.range(0, client.packed.size()).mapToObj(i -> i > 8).toList());
  }

  @Test
  void after_a_late_answer_the_next_batch_is_smaller_although_a_larger_one_was_read()
      throws Exception {
    store(0, 3_000, "");
    onFirst(batch -> {
      clock.advance(BatchSize.PROMPT.plusNanos(1));
      return ScriptedClient.stored(batch);
    });
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
    assertThat(batchSizes()).contains(FIRST, FIRST / 2).doesNotContain(512);
  }

  @Test
  void two_batches_are_in_memory_only_while_both_are_small() throws Exception {
    Random random = new Random(3);
    int records = 6_000;
    store(
        IntStream.range(0, records)
            .mapToObj(i ->
                Appended.record(
                    "\"" + i + "x".repeat(random.nextInt(i < 2_500 ? 900 : 9_000)) + "\"",
                    "",
                    null))
            .toArray(NewRecord[]::new));
    onFirst(ScriptedClient::stored);
    drain();
    assertThat(client.arrivals).hasSize(records);
    assertThat(client.mostOpenBytes).hasValueLessThanOrEqualTo(Portion.LARGEST_BYTES);
    assertThat(client.mostOpenBatches).hasValue(2);
  }

  @Test
  void an_interrupted_replay_leaves_nothing_in_memory_and_the_records_pending() throws Exception {
    store(0, 3_000, "");
    client.interruptedAt = "300";
    assertThatThrownBy(replay::run).isInstanceOf(InterruptedException.class);
    assertThat(client.openBatches).hasValue(0);
    assertThat(buffer.totals().pending()).isEqualTo(3_000 - 255);
    client.interruptedAt = "";
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
  }

  @Test
  void a_batch_that_was_read_from_a_buffer_that_was_replaced_is_not_sent() throws Exception {
    store(0, 3_000, "");
    onFirst(batch -> {
      try {
        Files.delete(directory.resolve("buffer.db"));
        buffer.checkNames();
      } catch (IOException failed) {
        throw new AssertionError(failed);
      }
      return ScriptedClient.stored(batch);
    });
    drain();
    assertThat(client.arrivals).containsExactly(numbers(3_000));
    // It was encoded once more, from the file that is in its place.
    assertThat(client.encoded.get()).isGreaterThan(client.batches.size());
  }
}
