package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// The JVM flags that the launcher starts the agent with.
final class LauncherFlags {
  private static final String START = "exec \"$java_home/bin/java\"";
  private static final String END = "-jar";

  private LauncherFlags() {}

  /// Reads them from the launcher's source, so that the floors' JVMs are the agent's.
  static List<String> read(Path launcher) throws IOException {
    String script = Files.readString(launcher);
    int start = script.indexOf(START);
    int end = script.indexOf(END, Math.max(0, start));
    if (start < 0 || end < 0) {
      throw new IOException(launcher + " does not start a JVM as expected");
    }
    return Arrays.stream(script.substring(start + START.length(), end).split("[\\s\\\\]+"))
        // What the shell would fill in belongs to the program's own files.
        .filter(flag -> !flag.isEmpty() && !flag.contains("$"))
        .toList();
  }
}
