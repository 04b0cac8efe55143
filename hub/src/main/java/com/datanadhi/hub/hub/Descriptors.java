package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.HubLauncher.InvalidSettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How the process's file descriptors are divided. Connections get what databases and the log leave
/// over: else whoever opens enough of them keeps the hub from opening its own files.
///
/// @param http connections over HTTP at once
/// @param grpc connections over gRPC at once
record Descriptors(int http, int grpc) {
  /// Files of SQLite that are open at once.
  static final int DATABASES = 256;

  /// The log's segments and their readers, the program's own files, sockets of commands.
  private static final int OTHERS = 128;

  private static final int LEAST_CONNECTIONS = 128;
  private static final int MOST_HTTP = 8_192;
  private static final int MOST_GRPC = 2_048;

  /// What Linux prints for a limit, in soft and hard; the JVM raises the soft one at its start.
  private static final Pattern LINE = Pattern.compile("(?m)^Max open files +(\\d+) ");

  /// @param limit of open files of this process
  /// @throws InvalidSettingException it is too low to serve anybody
  static Descriptors of(long limit) throws InvalidSettingException {
    long connections = limit - DATABASES - OTHERS;
    if (connections < LEAST_CONNECTIONS) {
      throw new InvalidSettingException(
          "this process may open %d files, and at least %d are needed: raise the limit, as with 'ulimit -n 65536' or LimitNOFILE=65536"
              .formatted(limit, DATABASES + OTHERS + LEAST_CONNECTIONS));
    }
    int grpc = (int) Math.min(MOST_GRPC, connections / 4);
    return new Descriptors((int) Math.min(MOST_HTTP, connections - grpc), grpc);
  }

  /// The limit of open files of this process; the largest number if it is unknown.
  static long limit() {
    try {
      Matcher line = LINE.matcher(Files.readString(Path.of("/proc/self/limits")));
      if (line.find()) {
        return Long.parseLong(line.group(1));
      }
    } catch (IOException | NumberFormatException unknown) {
      // Not Linux: the JVM has raised the limit to the system's, 10,240 on macOS.
    }
    return Integer.MAX_VALUE;
  }

  /// Whether connections are bounded by the limit of the process.
  boolean areShort() {
    return http < MOST_HTTP || grpc < MOST_GRPC;
  }
}
