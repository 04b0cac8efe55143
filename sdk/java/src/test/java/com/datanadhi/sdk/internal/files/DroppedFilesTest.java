package com.datanadhi.sdk.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.ManualTime;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DroppedFilesTest {
  @TempDir Path directory;
  private final ManualTime time = new ManualTime();

  private static List<OutgoingRecord> record(String key) {
    return List.of(new OutgoingRecord(List.of("orders"), "{}", key));
  }

  @Test
  void records_are_appended_to_a_file_for_ten_seconds() throws Exception {
    DroppedFiles files = new DroppedFiles(directory, 1 << 30, unused -> 0, time, time);
    long start = time.millis();
    Path first = files.write("exit", record("k-1"));
    time.advance(Duration.ofMillis(9_999));
    assertThat(files.write("exit", record("k-2"))).isEqualTo(first);
    assertThat(files.write("too_large", record("k-3"))).isNotEqualTo(first);
    time.advance(Duration.ofMillis(1));
    Path second = files.write("exit", record("k-4"));
    assertThat(second).isNotEqualTo(first);
    assertThat(first.getFileName()).hasToString("exit_" + start + ".jsonl");
    assertThat(second.getFileName()).hasToString("exit_" + (start + 10_000) + ".jsonl");
    assertThat(Files.readAllLines(first)).hasSize(2);
    assertThat(Files.readAllLines(second)).hasSize(1);
  }
}
