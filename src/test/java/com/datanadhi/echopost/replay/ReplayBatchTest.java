package com.datanadhi.echopost.replay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.upstream.Offer;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Replay with a server that offers batches.
class ReplayBatchTest extends ReplayBatchFixture {

  private List<String> alone() {
    return client.deliveries.stream().map(ScriptedClient::payload).toList();
  }

  @Test
  void batches_grow_from_one_record_and_keep_the_order() throws Exception {
    String[] payloads = numbers(3_000);
    Appended.store(buffer, payloads);
    drain();
    assertThat(client.arrivals).containsExactly(payloads);
    assertThat(alone()).isEmpty();
    assertThat(batchSizes()).startsWith(1, 2, 4, 8, 16, 32, 64).contains(1_000);
    assertThat(buffer.totals().delivered()).isEqualTo(3_000);
    assertThat(sql("SELECT count(*) FROM records")).isEqualTo("0");
  }

  @Test
  void a_batch_is_committed_before_the_next_is_sent() throws Exception {
    Appended.store(buffer, numbers(7));
    List<String> pending = new ArrayList<>();
    client.batchAnswers =
        batch -> {
          try {
            pending.add(sql("SELECT min(id) FROM records"));
          } catch (Exception failed) {
            throw new AssertionError(failed);
          }
          return ScriptedClient.stored(batch);
        };
    drain();
    assertThat(pending).containsExactly("1", "2", "4");
  }

  @Test
  void rejected_lines_among_delivered_ones_are_moved() throws Exception {
    Appended.store(buffer, numbers(7));
    String error = "{\"line\":%d,\"status\":422,\"detail\":\"no\"}";
    client.batchAnswers =
        batch ->
            batch.size() == 4
                ? ScriptedClient.answer(
                    "{\"stored\":2,\"errors\":["
                        + error.formatted(4)
                        + ","
                        + error.formatted(2)
                        + "]}")
                : ScriptedClient.stored(batch);
    drain();
    assertThat(buffer.totals().delivered()).isEqualTo(5);
    assertThat(
            sql(
                "SELECT group_concat(id||' '||json_data||' '||status||' '||attempts||' '||response,"
                    + " '; ' ORDER BY id) FROM rejected"))
        .isEqualTo("5 4 422 1 " + error.formatted(2) + "; 7 6 422 1 " + error.formatted(4));
    assertThat(buffer.rejections()).isEqualTo(2);
    assertThat(replay.delivered()).isEqualTo(5);
  }

  @Test
  void every_line_can_be_rejected() throws Exception {
    Appended.store(buffer, "1");
    client.batchAnswers =
        batch -> ScriptedClient.answer("{\"stored\":0,\"errors\":[{\"line\":1,\"status\":400}]}");
    drain();
    assertThat(buffer.totals().rejected()).isEqualTo(1);
    assertThat(buffer.totals().delivered()).isZero();
  }

  @Test
  void a_batch_has_one_api_key() throws Exception {
    for (int i = 0; i < 10; i++) {
      var _ =
          Appended.to(buffer, Appended.record(Integer.toString(i), i < 5 ? "a" : "b", null))
              .outcome();
    }
    drain();
    assertThat(client.batches)
        .containsExactly(
            List.of("0"),
            List.of("1", "2"),
            List.of("3", "4"),
            List.of("5", "6", "7", "8"),
            List.of("9"));
  }

  @Test
  void records_of_two_interleaved_api_keys_share_commits_one_by_one() throws Exception {
    for (int i = 0; i < 100; i++) {
      var _ =
          Appended.to(buffer, Appended.record(Integer.toString(i), i % 2 == 0 ? "a" : "b", null))
              .outcome();
    }
    Appended.store(buffer, "100", "101");
    Set<String> firstPending = new HashSet<>();
    client.answers =
        payload -> {
          try {
            firstPending.add(sql("SELECT min(id) FROM records"));
          } catch (Exception failed) {
            throw new AssertionError(failed);
          }
          return ScriptedClient.OK;
        };
    drain();
    assertThat(client.arrivals).containsExactly(numbers(102));
    assertThat(client.batches).containsExactly(List.of("0"), List.of("100", "101"));
    assertThat(firstPending).containsExactly("2");
  }

  @Test
  void a_payload_with_a_line_end_goes_by_itself() throws Exception {
    Appended.store(buffer, "1", "2", "[3,\n3]", "[4,\r4]", "5", "6");
    drain();
    assertThat(client.arrivals).containsExactly("1", "2", "[3,\n3]", "[4,\r4]", "5", "6");
    assertThat(alone()).containsExactly("[3,\n3]", "[4,\r4]");
  }

  @Test
  void a_batch_has_at_most_four_mebibytes() throws Exception {
    String third = "\"" + "x".repeat(Portion.LARGEST_BYTES / 3) + "\"";
    String whole = "\"" + "x".repeat(Portion.LARGEST_BYTES - 10) + "\"";
    Appended.store(buffer, "1", "2", "3", third, third, third, third, whole, "9");
    drain();
    assertThat(client.batches.stream().map(List::size)).containsExactly(1, 2, 2, 2, 1);
    assertThat(alone()).containsExactly(whole);
    assertThat(client.arrivals).hasSize(9).endsWith(whole, "9");
  }

  @Test
  void a_damaged_record_ends_the_batch_and_is_never_sent() throws Exception {
    Appended.store(buffer, numbers(7));
    change("UPDATE records SET json_data='99' WHERE id=5");
    drain();
    assertThat(client.batches)
        .containsExactly(List.of("0"), List.of("1", "2"), List.of("3"), List.of("5", "6"));
    assertThat(sql("SELECT id||':'||status FROM rejected")).isEqualTo("5:0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ok",
        "{\"stored\":9,\"errors\":[]}",
        "{\"stored\":0,\"errors\":[{\"line\":1,\"status\":503}]}"
      })
  void after_three_unreadable_answers_records_go_one_by_one_until_the_next_probe(String body)
      throws Exception {
    Appended.store(buffer, "1", "2");
    client.batchAnswers = batch -> ScriptedClient.answer(body);
    drain();
    assertThat(client.batches).containsExactly(List.of("1"), List.of("1"), List.of("1"));
    assertThat(alone()).containsExactly("1", "2");
    assertThat(buffer.totals().delivered()).isEqualTo(2);
    Appended.store(buffer, "3");
    drain();
    assertThat(alone()).containsExactly("1", "2", "3");
    client.probes++;
    client.batchAnswers = ScriptedClient::stored;
    Appended.store(buffer, "4");
    drain();
    assertThat(client.batches).hasSize(4).endsWith(List.of("4"));
  }

  @Test
  void nothing_of_an_unreadable_answer_counts() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    List<ServerResponse> script = new ArrayList<>();
    script.add(ScriptedClient.answer("{\"stored\":1,\"errors\":[]}"));
    script.add(ScriptedClient.answer("{\"stored\":1,\"errors\":[{\"line\":2,\"status\":422}]"));
    client.batchAnswers =
        batch -> script.isEmpty() ? ScriptedClient.stored(batch) : script.removeFirst();
    drain();
    assertThat(client.batches).containsExactly(List.of("1"), List.of("2", "3"), List.of("2", "3"));
    assertThat(buffer.totals().delivered()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {407, 408, 425, 429, 501, 503, 599})
  void an_unavailable_server_suspends_replay_and_gets_a_batch_again(int status) throws Exception {
    Appended.store(buffer, numbers(7));
    client.batchAnswers =
        batch ->
            batch.size() == 4
                ? new ServerResponse.Answered(status, Duration.ofSeconds(77), "")
                : ScriptedClient.stored(batch);
    Duration _ = replay.turn();
    assertThat(server.takePause()).isEqualTo(Duration.ofSeconds(77));
    assertThat(server.state().health()).isEqualTo(ServerHealth.DOWN);
    assertThat(buffer.totals().pending()).isEqualTo(4);
    client.batchAnswers = ScriptedClient::stored;
    drain();
    assertThat(alone()).isEmpty();
    assertThat(batchSizes()).containsExactly(1, 2, 4, 1, 2, 1);
  }

  @Test
  void no_answer_suspends_replay() throws Exception {
    Appended.store(buffer, "1");
    client.batchAnswers = batch -> new ServerResponse.NoAnswer("timed out");
    Duration _ = replay.turn();
    assertThat(server.state().health()).isEqualTo(ServerHealth.DOWN);
    assertThat(buffer.totals().pending()).isEqualTo(1);
  }

  @Test
  void too_large_halves_the_next_batch_down_to_one_by_one() throws Exception {
    Appended.store(buffer, numbers(7));
    client.batchAnswers = batch -> batch.size() > 2 ? status(413) : ScriptedClient.stored(batch);
    drain();
    assertThat(batchSizes()).containsExactly(1, 2, 4, 2, 2);
    assertThat(alone()).isEmpty();
    client.batchAnswers = batch -> status(413);
    Appended.store(buffer, "11", "12");
    drain();
    assertThat(alone()).containsExactly("11", "12");
    assertThat(buffer.totals().rejected()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {201, 204, 302, 400, 401, 403, 404, 405, 415, 422, 500})
  void any_other_answer_sends_this_batch_one_by_one_and_the_next_as_a_batch(int status)
      throws Exception {
    Appended.store(buffer, numbers(6));
    client.batchAnswers =
        batch -> batch.getFirst().equals("1") ? status(status) : ScriptedClient.stored(batch);
    client.answers = payload -> payload.equals("2") ? status(422) : ScriptedClient.OK;
    drain();
    assertThat(client.batches)
        .containsExactly(List.of("0"), List.of("1", "2"), List.of("3", "4"), List.of("5"));
    assertThat(alone()).containsExactly("1", "2");
    assertThat(sql("SELECT json_data||':'||status FROM rejected")).isEqualTo("2:422");
  }

  @Test
  void a_doubtful_record_of_a_refused_batch_is_retried_with_back_off_as_alone() throws Exception {
    Appended.store(buffer, "0", "1", "2");
    client.batchAnswers = batch -> batch.size() == 2 ? status(500) : ScriptedClient.stored(batch);
    client.answers = payload -> payload.equals("1") ? status(500) : ScriptedClient.OK;
    drain();
    assertThat(client.batches).containsExactly(List.of("0"), List.of("1", "2"));
    assertThat(alone()).containsExactly("1", "1", "1", "1", "1", "2");
    assertThat(sql("SELECT status||' '||attempts FROM rejected")).isEqualTo("500 6");
  }

  @Test
  void a_server_that_refuses_every_batch_still_gets_a_bad_run_drained() throws Exception {
    Appended.store(buffer, numbers(20));
    client.batchAnswers = batch -> status(415);
    client.answers = payload -> status(404);
    long start = clock.nanos();
    drain();
    assertThat(buffer.totals().rejected()).isEqualTo(20);
    assertThat(clock.nanos() - start)
        .isBetween(PoisonPolicy.MIN_STREAK.toNanos(), 2 * PoisonPolicy.MIN_STREAK.toNanos());
  }

  @Test
  void records_go_one_by_one_once_the_offer_is_withdrawn() throws Exception {
    Appended.store(buffer, "1");
    drain();
    client.offer = Offer.NONE;
    Appended.store(buffer, "2");
    drain();
    assertThat(client.batches).containsExactly(List.of("1"));
    assertThat(alone()).containsExactly("2");
  }

  @Test
  void a_late_answer_makes_the_next_batch_smaller() throws Exception {
    Appended.store(buffer, numbers(12));
    client.batchAnswers =
        batch -> {
          if (batch.size() == 4) {
            clock.advance(BatchSize.PROMPT.plusNanos(1));
          }
          return ScriptedClient.stored(batch);
        };
    drain();
    assertThat(batchSizes()).startsWith(1, 2, 4, 2, 2);
  }

  @Test
  void keys_are_the_same_at_each_attempt_and_in_both_ways() throws Exception {
    var _ = Appended.to(buffer, Appended.record("1", "", "key\"1\"")).outcome();
    assertThat(sql("SELECT origin FROM records")).isEqualTo("key\"1\"");
    client.batchAnswers = batch -> status(400);
    drain();
    assertThat(client.deliveries.getFirst().idempotencyKey()).isEqualTo("key\"1\"");
    assertThat(client.deliveries.getFirst().jsonData()).isEqualTo("1".getBytes(UTF_8));
  }
}
