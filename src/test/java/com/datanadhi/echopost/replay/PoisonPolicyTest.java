package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PoisonPolicyTest {
  private final ManualClock clock = new ManualClock();
  private final PoisonPolicy doubt = new PoisonPolicy(clock);

  private void keeps(long id, int status, int times) {
    for (int i = 0; i < times; i++) {
      assertThat(doubt.givesUp(id, status)).as("attempt %d of %d", i + 1, id).isFalse();
    }
  }

  private void givesUp(long id, int status) {
    assertThat(doubt.givesUp(id, status)).as("record %d", id).isTrue();
  }

  /// Five attempts at record 1, two minutes: the run of 500 gives records up from here on.
  private void twoMinutesOf500() {
    keeps(1, 500, 5);
    clock.advance(Duration.ofMinutes(2));
    givesUp(1, 500);
  }

  @Test
  void right_after_an_acceptance_the_record_is_to_blame_and_has_five_attempts() {
    doubt.accepted(1);
    clock.advance(Duration.ofSeconds(10));
    keeps(2, 500, 4);
    givesUp(2, 500);
  }

  @Test
  void blame_is_settled_at_the_first_attempt_however_long_the_others_take() {
    doubt.accepted(1);
    keeps(2, 500, 1);
    clock.advance(Duration.ofSeconds(20));
    keeps(2, 500, 3);
    givesUp(2, 500);
  }

  @Test
  void more_than_ten_seconds_after_an_acceptance_the_server_is_in_doubt() {
    doubt.accepted(1);
    clock.advance(Duration.ofSeconds(10).plusNanos(1));
    keeps(2, 500, 100);
  }

  @Test
  void an_acceptance_of_another_record_than_the_one_before_puts_no_blame() {
    doubt.accepted(1);
    keeps(3, 500, 100);
  }

  @Test
  void with_nothing_accepted_yet_the_server_is_in_doubt() {
    keeps(1, 500, 100);
    clock.advance(Duration.ofMinutes(2).minusNanos(1));
    keeps(1, 500, 1);
    clock.advance(Duration.ofNanos(1));
    givesUp(1, 500);
  }

  @Test
  void two_minutes_are_not_enough_without_five_attempts() {
    keeps(1, 404, 1);
    clock.advance(Duration.ofHours(1));
    keeps(1, 404, 3);
    givesUp(1, 404);
  }

  @Test
  void another_doubtful_status_begins_a_new_run() {
    keeps(1, 500, 10);
    clock.advance(Duration.ofMinutes(2));
    keeps(1, 404, 1);
    clock.advance(Duration.ofMinutes(2).minusNanos(1));
    keeps(1, 404, 10);
    clock.advance(Duration.ofNanos(1));
    givesUp(1, 404);
  }

  @Test
  void any_other_answer_ends_the_run_and_the_attempts_begin_anew() {
    keeps(1, 500, 10);
    clock.advance(Duration.ofMinutes(2));
    doubt.endRun();
    keeps(1, 500, 10);
    clock.advance(Duration.ofMinutes(2));
    givesUp(1, 500);
  }

  @Test
  void while_the_run_lasts_each_later_record_has_one_attempt() {
    twoMinutesOf500();
    for (long id = 2; id < 100; id++) {
      clock.advance(Duration.ofSeconds(1));
      givesUp(id, 500);
    }
  }

  @Test
  void another_status_ends_the_run_that_gives_up_at_once() {
    twoMinutesOf500();
    givesUp(2, 500);
    keeps(3, 404, 10);
    keeps(3, 500, 10);
  }

  @Test
  void another_answer_ends_the_run_that_gives_up_at_once() {
    twoMinutesOf500();
    doubt.endRun();
    keeps(2, 500, 10);
  }

  @Test
  void an_acceptance_ends_the_run_that_gives_up_at_once() {
    twoMinutesOf500();
    doubt.accepted(2);
    keeps(3, 500, 4);
    givesUp(3, 500);
    keeps(4, 500, 100);
  }

  @Test
  void after_a_blamed_record_the_next_is_not_blamed_but_the_run_goes_on() {
    doubt.accepted(1);
    keeps(2, 500, 4);
    givesUp(2, 500);
    keeps(3, 500, 4);
    clock.advance(Duration.ofMinutes(2));
    givesUp(3, 500);
    givesUp(4, 500);
  }
}
