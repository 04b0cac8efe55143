package com.datanadhi.hub.log.segments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.MemoryDirectory;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.Shims;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Writes or syncs fail: the log ends, answers nothing that is not true, and the next one has
/// everything acknowledged.
final class DiskFaultTest {
  @TempDir(factory = MemoryDirectory.class)
  @SuppressWarnings("NullAway.Init")
  Path home;

  @ParameterizedTest
  @EnumSource(
      value = DiskShim.Call.class,
      names = {"WRITE", "SYNC"})
  void after_a_failed_call_nothing_is_acknowledged_and_nothing_acknowledged_is_lost(
      DiskShim.Call call) throws Exception {
    assumeTrue(Shims.skipReason().isEmpty(), Shims.skipReason());
    DiskShim shim = new DiskShim(home);
    Map<String, String> environment = new HashMap<>(shim.environment());
    environment.remove("DISKSHIM_JOURNAL");
    Path log = shim.directory().resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-preview",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                AppendingProgram.class.getName(),
                log.toString(),
                "fsync",
                "1")
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().putAll(environment);
    Process process = builder.start();
    List<String[]> stored = new ArrayList<>();
    try (BufferedReader out = process.inputReader(StandardCharsets.US_ASCII)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("stored")) {
          stored.add(words);
        }
        if (stored.size() == 200 && shim.failures() == 0) {
          // The shim knows a segment by the name under which it was made. From now on all calls
          // fail, so that it does not matter which thread comes first.
          shim.fail(call, "next.new", 1, true);
        }
        if (line.startsWith("failed")) {
          process.outputWriter().close();
        }
      }
    }
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(shim.failures()).isPositive();
    assertThat(stored).hasSizeGreaterThanOrEqualTo(200);
    assertThat(Files.isDirectory(log)).isTrue();
    try (SegmentLog again = SegmentLog.open(log, AppendingProgram.SETTINGS, Clock.system())) {
      for (String[] one : stored) {
        LogEntry entry = again.read(one[3], Long.parseLong(one[4]), 1, 1).getFirst();
        assertThat(new String(entry.payload(), StandardCharsets.US_ASCII)).isEqualTo(one[6]);
      }
    }
    assertThat(LogVerifier.verify(log).findings()).isEmpty();
  }
}
