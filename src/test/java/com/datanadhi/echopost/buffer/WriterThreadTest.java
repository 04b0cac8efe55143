package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.directory.Volume;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class WriterThreadTest extends BufferFixture {
  /// The clock stands still, so that it spins for as many rounds as it ever does.
  @Test
  void the_writer_spins_for_the_next_record_while_records_arrive_one_by_one() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1);
    Appended.store(buffer, "1");
    long fullSize = new Volume(directory).walLimit();
    Path reserve = directory.resolve("reserve");
    await("the reserve to have its full size")
        .until(() -> Files.exists(reserve) && Files.size(reserve) == fullSize);
    assertThat(clock.reads()).isLessThan(20_000);

    Appended.store(buffer, "2");

    await().until(() -> clock.reads() > 20_000);
  }
}
