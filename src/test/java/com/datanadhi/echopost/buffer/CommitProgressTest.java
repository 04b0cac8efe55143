package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CommitProgressTest {
  private static final long SECOND = 1_000_000_000;

  private final CommitProgress progress = new CommitProgress();

  @Test
  void work_that_takes_longer_than_five_seconds_is_a_problem_until_it_ends() {
    progress.workStarted(7);
    assertThat(progress.problem(7 + 5 * SECOND)).isNull();
    assertThat(progress.problem(7 + 6 * SECOND)).contains("has not ended for 6 s");
    progress.workEnded();
    assertThat(progress.problem(7 + 60 * SECOND)).isNull();
  }

  @Test
  void a_block_lasts_until_a_commit_succeeds() {
    progress.blocked("locked");
    progress.workEnded();
    assertThat(progress.problem(0)).isEqualTo("locked");
    assertThat(progress.isBlocked()).isTrue();
    progress.succeeded();
    assertThat(progress.problem(0)).isNull();
  }
}
