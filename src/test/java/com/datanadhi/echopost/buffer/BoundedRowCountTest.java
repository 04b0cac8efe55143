package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.Clock;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BoundedRowCountTest extends BufferFixture {
  @Test
  void counting_stops_at_its_deadline() throws Exception {
    Appended.store(
        buffer, IntStream.range(0, 5_000).mapToObj(Integer::toString).toArray(String[]::new));
    AtomicLong reads = new AtomicLong();
    Clock secondPerRead =
        new Clock() {
          @Override
          public long millis() {
            return 0;
          }

          @Override
          public long nanos() {
            return reads.getAndIncrement() * 1_000_000_000;
          }
        };
    try (Connection connection = Database.openReader(directory.resolve("buffer.db"))) {
      assertThat(
              new BoundedRowCount(secondPerRead, Duration.ofSeconds(60))
                  .rowsOf(connection, "records"))
          .isEqualTo(new BoundedRowCount.Counted(5_000, true));
      reads.set(0);
      assertThat(
              new BoundedRowCount(secondPerRead, Duration.ofSeconds(3))
                  .rowsOf(connection, "records"))
          .isEqualTo(new BoundedRowCount.Counted(4_000, false));
    }
  }
}
