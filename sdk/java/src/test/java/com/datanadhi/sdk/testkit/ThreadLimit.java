package com.datanadhi.sdk.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Limits how many threads this process can make, by its address space: the process was started with
 * {@link #OPTION}, so that the stack of each thread takes much of it. Root has no other limit.
 */
public final class ThreadLimit {
  /** For the JVM. */
  public static final String OPTION = "-Xss512m";

  private static final long STACK_BYTES = 512L << 20;

  /** For all but stacks: less than another stack. */
  private static final long OTHER_BYTES = 256L << 20;

  private static final Path STATUS = Path.of("/proc/self/status");

  private ThreadLimit() {}

  /** Whether this system can be limited. */
  public static boolean isPossible() {
    return Files.isReadable(STATUS) && Files.isExecutable(Path.of("/usr/bin/prlimit"));
  }

  /** From now on, at most {@code threads} can be made, and those that end let no other be made. */
  public static void atMost(int threads) throws IOException, InterruptedException {
    String line =
        Files.readAllLines(STATUS).stream()
            .filter(each -> each.startsWith("VmSize:"))
            .findFirst()
            .orElseThrow();
    long used = Long.parseLong(line.replaceAll("\\D", "")) << 10;
    set(Long.toString(used + threads * STACK_BYTES + OTHER_BYTES));
  }

  /** Any number of threads can be made again. */
  public static void remove() throws IOException, InterruptedException {
    set("unlimited");
  }

  private static void set(String softLimit) throws IOException, InterruptedException {
    String self = Long.toString(ProcessHandle.current().pid());
    int status =
        new ProcessBuilder(
                List.of("/usr/bin/prlimit", "--pid", self, "--as=" + softLimit + ":unlimited"))
            .inheritIO()
            .start()
            .waitFor();
    if (status != 0) {
      throw new IOException("prlimit ended with status " + status);
    }
  }
}
