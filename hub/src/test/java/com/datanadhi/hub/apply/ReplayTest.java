package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayTest {
  private static final String EPOCH = "0badcafe-0000-4000-8000-000000000000";

  @TempDir private Path directory;
  private TenantDatabases databases;

  @BeforeEach
  void open() {
    databases = new TenantDatabases(directory.resolve("tenants"), 32);
  }

  @AfterEach
  void close() {
    databases.close();
  }

  private Replay replay() {
    return replay(null);
  }

  private Replay replay(@Nullable MailboxFollower mailboxes) {
    return new Replay(databases, "acme", (_, _, _) -> {}, mailboxes);
  }

  private static StoredEvent event(long seq, long offset) {
    byte[] logData = Long.toString(seq).getBytes(UTF_8);
    return new StoredEvent(
        seq,
        "k-" + seq,
        1,
        1_700_000_000_000L,
        EPOCH.substring(0, 8) + "/events-0:" + offset,
        "[\"p\"]",
        logData,
        Digests.record(logData),
        "fsync");
  }

  private ViewState state() throws Exception {
    return databases.read("acme", reader -> reader.state());
  }

  @Test
  void a_log_record_whose_transactions_are_in_two_batches_counts_once() throws Exception {
    try (Replay replay = replay()) {
      for (long seq = 1; seq <= 4_950; seq++) {
        replay.add(event(seq, seq), EPOCH);
      }
      for (long seq = 4_951; seq <= 5_050; seq++) {
        replay.add(event(seq, 4_951), EPOCH);
      }
      replay.finish();
    }

    assertThat(state().seq()).isEqualTo(5_050);
    assertThat(state().stored()).isEqualTo(4_951);
  }

  @Test
  void a_log_record_that_is_continued_later_counts_once() throws Exception {
    try (Replay first = replay()) {
      first.add(event(1, 7), EPOCH);
      first.add(event(2, 8), EPOCH);
      first.finish();
    }
    try (Replay second = replay()) {
      second.add(event(3, 8), EPOCH);
      second.add(event(4, 9), EPOCH);
      second.finish();
    }

    assertThat(state().stored()).isEqualTo(3);
    assertThat(state().appliedOffset()).isEqualTo(9);
  }

  @Test
  void many_records_are_all_there_in_order() throws Exception {
    try (Replay replay = replay()) {
      for (long seq = 1; seq <= 20_000; seq++) {
        replay.add(event(seq, seq - 1), EPOCH);
      }
      replay.finish();
    }
    ViewState state = state();
    assertThat(state.seq()).isEqualTo(20_000);
    assertThat(state.stored()).isEqualTo(20_000);
    assertThat(state.appliedOffset()).isEqualTo(19_999);
    assertThat(state.epoch()).isEqualTo(EPOCH);
  }

  @Test
  void a_record_that_does_not_continue_the_others_is_found_and_those_before_it_stay()
      throws Exception {
    try (Replay replay = replay()) {
      assertThatThrownBy(
              () -> {
                for (long seq = 1; seq <= 20_000; seq++) {
                  replay.add(event(seq < 7_000 ? seq : seq + 1, seq), EPOCH);
                }
                replay.finish();
              })
          .isInstanceOf(Replay.GapException.class)
          .hasMessageContaining("seq 7001");
    }
    assertThat(state().seq()).isEqualTo(5_000);
  }

  @Test
  void what_was_not_finished_is_dropped_when_it_is_closed() throws Exception {
    try (Replay replay = replay()) {
      for (long seq = 1; seq <= 5_001; seq++) {
        replay.add(event(seq, seq), EPOCH);
      }
    }
    assertThat(state().seq()).isEqualTo(5_000);
  }

  private long itemsThrough() throws Exception {
    return databases.readMailbox("acme", reader -> reader.appliedSeq());
  }

  @Test
  void items_are_added_while_the_next_records_are_stored() throws Exception {
    MailboxFollower mailboxes = new MailboxFollower(databases, _ -> {});
    try (Replay replay = replay(mailboxes)) {
      for (long seq = 1; seq <= 12_000; seq++) {
        replay.add(event(seq, seq), EPOCH);
      }
      replay.finish();
    }
    assertThat(itemsThrough()).isEqualTo(10_000);

    mailboxes.follow("acme");
    assertThat(itemsThrough()).isEqualTo(12_000);
    assertThat(databases.<Long>readMailbox("acme", reader -> reader.lastItem("p")))
        .isEqualTo(12_000);
  }

  @Test
  void a_mailbox_that_ends_before_the_records_is_left_as_it_is() throws Exception {
    try (Replay replay = replay()) {
      for (long seq = 1; seq <= 3; seq++) {
        replay.add(event(seq, seq), EPOCH);
      }
      replay.finish();
    }
    MailboxFollower mailboxes = new MailboxFollower(databases, _ -> {});
    try (Replay replay = replay(mailboxes)) {
      for (long seq = 4; seq <= 12_000; seq++) {
        replay.add(event(seq, seq), EPOCH);
      }
      replay.finish();
    }
    assertThat(itemsThrough()).isZero();

    mailboxes.follow("acme");
    assertThat(itemsThrough()).isEqualTo(12_000);
    assertThat(databases.<Long>readMailbox("acme", reader -> reader.lastItem("p")))
        .isEqualTo(12_000);
  }
}
