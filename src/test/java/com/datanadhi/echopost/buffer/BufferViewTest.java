package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BufferViewTest {
  @TempDir Path directory;

  private static String[] many(int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(n -> "{\"n\":" + n + "}")
        .toArray(String[]::new);
  }

  @Test
  void a_reader_that_pauses_between_two_pages_blocks_no_checkpoint() throws Exception {
    try (Buffer buffer = Buffer.open(directory, new ManualClock(), BufferListener.NONE);
        BufferView view = BufferView.open(directory);
        Sqlite sqlite = new Sqlite(directory)) {
      Appended.store(buffer, many(1_000));
      long through = view.lastId(BufferView.Table.PENDING);
      var page = view.page(BufferView.Table.PENDING, 0, through);
      assertThat(page).hasSize(256);
      Appended.store(buffer, many(1_000));

      // 1 ("busy") if a reader blocked it.
      assertThat(sqlite.query("PRAGMA wal_checkpoint(TRUNCATE)")).isEqualTo("0");
      page = view.page(BufferView.Table.PENDING, 256, through);
      assertThat(page.getFirst().record().id()).isEqualTo(257);
    }
  }

  @Test
  void the_bytes_of_a_small_backlog_are_exact() throws Exception {
    try (Buffer buffer = Buffer.open(directory, new ManualClock(), BufferListener.NONE);
        BufferView view = BufferView.open(directory)) {
      assertThat(view.backlog()).isEqualTo(new BufferView.Backlog(0, 0, false, null));
      Appended.store(buffer, "1", "\"é\"");
      assertThat(view.backlog()).isEqualTo(new BufferView.Backlog(2, 5, false, 1_700_000_000_000L));
      Appended.store(buffer, many(5_000));
      assertThat(view.backlog().records()).isEqualTo(5_002);
      assertThat(view.backlog().bytes())
          .isEqualTo(
              5
                  + IntStream.rangeClosed(1, 5_000)
                      .mapToLong(n -> ("{\"n\":" + n + "}").length())
                      .sum());
    }
  }

  @Test
  void the_bytes_of_a_large_backlog_are_estimated_from_samples_of_all_of_it() throws Exception {
    try (Buffer buffer = Buffer.open(directory, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, "1");
    }
    try (Sqlite sqlite = new Sqlite(directory)) {
      sqlite.execute(
          "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<200000) INSERT INTO"
              + " records SELECT i, 5, CASE WHEN i%2 THEN '12' ELSE '1234' END, '[]', '', NULL, 0"
              + " FROM n");
      sqlite.execute("UPDATE meta SET accepted=200000");
    }
    try (BufferView view = BufferView.open(directory)) {
      BufferView.Backlog backlog = view.backlog();
      assertThat(backlog.isEstimate()).isTrue();
      assertThat(backlog.records()).isEqualTo(200_000);
      assertThat(backlog.bytes()).isBetween(590_000L, 610_000L);
    }
  }
}
