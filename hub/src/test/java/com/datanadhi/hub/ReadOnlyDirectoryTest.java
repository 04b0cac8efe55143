package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.testkit.SmallDisk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Commands on the directory of a hub on a read-only file system, such as a mounted backup.
class ReadOnlyDirectoryTest {
  @TempDir private Path home;

  private record Result(int status, String out, String err) {}

  private static Result run(Path data, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        new Cli(
                (_, _, _) -> 0,
                OfflineDirectory::open,
                Map.of("HUB_DATA", data.toString()),
                out,
                err)
            .run(arguments);
    return new Result(status, out.toString(UTF_8), err.toString(UTF_8));
  }

  private static void damage(Path data) throws IOException {
    try (Stream<Path> files = Files.list(data.resolve("log").resolve("control"))) {
      Path segment =
          files.filter(file -> file.toString().endsWith(".log")).findFirst().orElseThrow();
      byte[] bytes = Files.readAllBytes(segment);
      bytes[80] ^= 1;
      assertThat(segment.toFile().setWritable(true)).isTrue();
      Files.write(segment, bytes);
    }
  }

  @Test
  void verify_log_reads_a_read_only_directory_without_its_lock() throws Exception {
    try (SmallDisk disk = SmallDisk.mountOrSkip(home.resolve("disk"), "300m")) {
      Path data = home.resolve("disk").resolve("data");
      assertThat(run(data, "serve").status()).isZero();
      assertThat(run(data, "key", "create", "--tenant-id", "acme").status()).isZero();
      disk.remountReadOnly();

      Result sound = run(data, "verify", "log");
      assertThat(sound.status()).as(sound.err()).isZero();
      assertThat(sound.out()).startsWith("1 log record in 1 segment").endsWith("no fault\n");
      assertThat(sound.err()).contains("read-only");
      assertThat(run(data, "verify", "log", "--json").out()).startsWith("{\"records\":1,");

      disk.remountWritable();
      damage(data);
      disk.remountReadOnly();
      Result damaged = run(data, "verify", "log");
      assertThat(damaged.status()).isEqualTo(1);
      assertThat(damaged.out()).contains("records 0 to 0");
    }
  }
}
