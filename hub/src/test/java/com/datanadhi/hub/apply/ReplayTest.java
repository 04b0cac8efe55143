package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayTest {
  private static final String TENANT = "acme";
  private static final String EPOCH = UUID.randomUUID().toString();

  @TempDir Path directory;
  private TenantDatabases databases;

  @BeforeEach
  void open() {
    databases = new TenantDatabases(directory, 8);
  }

  @AfterEach
  void close() throws Exception {
    databases.close();
  }

  @Test
  void many_records_are_all_there_in_order() throws Exception {
    try (Replay replay = replay()) {
      for (long seq = 1; seq <= 20_000; seq++) {
        replay.add(event(seq), EPOCH);
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
  void a_record_that_does_not_continue_the_others_is_found_and_those_before_it_stay() throws Exception {
    try (Replay replay = replay()) {
      assertThatThrownBy(
              () -> {
                for (long seq = 1; seq <= 20_000; seq++) {
                  replay.add(event(seq < 7_000 ? seq : seq + 1), EPOCH);
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
        replay.add(event(seq), EPOCH);
      }
    }
    assertThat(state().seq()).isEqualTo(5_000);
  }

  private Replay replay() {
    return new Replay(databases, TENANT, (_, _, _) -> {});
  }

  private ViewState state() throws Exception {
    return databases.read(TENANT, reader -> reader.state());
  }

  private static StoredEvent event(long seq) {
    return new StoredEvent(
        seq,
        "key-" + seq,
        1,
        1_000 + seq,
        EPOCH.substring(0, 8) + "/events-0:" + (seq - 1),
        "[\"p\"]",
        "{\"n\":%d}".formatted(seq).getBytes(UTF_8),
        "",
        "fsync");
  }
}
