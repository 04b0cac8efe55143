package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PoisonPolicyTest {
  private final ManualClock clock = new ManualClock();
  private final PoisonPolicy policy = new PoisonPolicy(clock);

  private void keeps(long id, int status, int times) {
    for (int i = 0; i < times; i++) {
      assertThat(policy.shouldReject(id, status)).as("attempt %d of %d", i + 1, id).isFalse();
    }
  }

  private void rejects(long id, int status) {
    assertThat(policy.shouldReject(id, status)).as("record %d", id).isTrue();
  }

  /// Five attempts at record 1, two minutes: from then on the run of 500 rejects records.
  private void twoMinutesOf500() {
    keeps(1, 500, 5);
    clock.advance(Duration.ofMinutes(2));
    rejects(1, 500);
  }

  @Test
  void a_record_right_after_an_accepted_one_is_rejected_after_five_attempts() {
    policy.accepted(1, clock.nanos());
    clock.advance(Duration.ofSeconds(10));
    keeps(2, 500, 4);
    rejects(2, 500);
  }

  @Test
  void a_record_is_blamed_by_its_first_attempt_however_late_the_others_are() {
    policy.accepted(1, clock.nanos());
    keeps(2, 500, 1);
    clock.advance(Duration.ofSeconds(20));
    keeps(2, 500, 3);
    rejects(2, 500);
  }

  @Test
  void more_than_ten_seconds_after_an_acceptance_the_server_is_in_doubt() {
    policy.accepted(1, clock.nanos());
    clock.advance(Duration.ofSeconds(10).plusNanos(1));
    keeps(2, 500, 100);
  }

  @Test
  void an_acceptance_of_an_earlier_record_does_not_blame_the_record() {
    policy.accepted(1, clock.nanos());
    keeps(3, 500, 100);
  }

  @Test
  void with_nothing_accepted_yet_the_server_is_in_doubt() {
    keeps(1, 500, 100);
    clock.advance(Duration.ofMinutes(2).minusNanos(1));
    keeps(1, 500, 1);
    clock.advance(Duration.ofNanos(1));
    rejects(1, 500);
  }

  @Test
  void two_minutes_are_not_enough_without_five_attempts() {
    keeps(1, 404, 1);
    clock.advance(Duration.ofHours(1));
    keeps(1, 404, 3);
    rejects(1, 404);
  }

  @Test
  void another_doubtful_status_starts_a_new_run() {
    keeps(1, 500, 10);
    clock.advance(Duration.ofMinutes(2));
    keeps(1, 404, 1);
    clock.advance(Duration.ofMinutes(2).minusNanos(1));
    keeps(1, 404, 10);
    clock.advance(Duration.ofNanos(1));
    rejects(1, 404);
  }

  @Test
  void any_other_response_ends_the_run_and_resets_the_attempts() {
    keeps(1, 500, 10);
    clock.advance(Duration.ofMinutes(2));
    policy.endStreak();
    keeps(1, 500, 10);
    clock.advance(Duration.ofMinutes(2));
    rejects(1, 500);
  }

  @Test
  void while_the_run_lasts_each_following_record_gets_one_attempt() {
    twoMinutesOf500();
    for (long id = 2; id < 100; id++) {
      clock.advance(Duration.ofSeconds(1));
      rejects(id, 500);
    }
  }

  @Test
  void another_status_ends_a_run_that_rejects_at_once() {
    twoMinutesOf500();
    rejects(2, 500);
    keeps(3, 404, 10);
    keeps(3, 500, 10);
  }

  @Test
  void another_response_ends_a_run_that_rejects_at_once() {
    twoMinutesOf500();
    policy.endStreak();
    keeps(2, 500, 10);
  }

  @Test
  void an_acceptance_ends_a_run_that_rejects_at_once() {
    twoMinutesOf500();
    policy.accepted(2, clock.nanos());
    keeps(3, 500, 4);
    rejects(3, 500);
    keeps(4, 500, 100);
  }

  @Test
  void after_a_blamed_record_the_next_is_not_blamed_and_the_run_continues() {
    policy.accepted(1, clock.nanos());
    keeps(2, 500, 4);
    rejects(2, 500);
    keeps(3, 500, 4);
    clock.advance(Duration.ofMinutes(2));
    rejects(3, 500);
    rejects(4, 500);
  }
}
