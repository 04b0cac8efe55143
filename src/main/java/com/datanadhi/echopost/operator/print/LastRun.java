package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Sessions;
import com.datanadhi.echopost.logging.EventNames;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How the newest session ended, by its log.
///
/// @param session its directory's name
/// @param endedAt as the log has it; empty where it ended without a last line
/// @param exitCode the agent's; null where it ended without a last line, killed or crashed
/// @param crashed whether the JVM left a report
record LastRun(String session, String endedAt, @Nullable Integer exitCode, boolean crashed) {
  /// More than the last lines of a log take.
  private static final int TAIL_BYTES = 1 << 14;

  /// Reads the newest session's log.
  ///
  /// @return null when there was no session
  static @Nullable LastRun of(Path directory) throws IOException {
    List<Path> sessions = Sessions.list(directory);
    if (sessions.isEmpty()) {
      return null;
    }
    Path newest = sessions.getLast();
    String endedAt = "";
    Integer exitCode = null;
    for (String line : tail(newest.resolve(DirectoryLayout.LOG)).split("\n", -1)) {
      LogEvent event = LogEvent.parse(line);
      if (event != null && event.is(EventNames.AGENT_STOPPED)) {
        endedAt = event.get("time");
        exitCode = Integer.valueOf(event.get("exit_code"));
      }
    }
    return new LastRun(
        String.valueOf(newest.getFileName()),
        endedAt,
        exitCode,
        Files.exists(newest.resolve(DirectoryLayout.CRASH_REPORT)));
  }

  private static String tail(Path log) throws IOException {
    if (!Files.exists(log)) {
      return "";
    }
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(Math.max(0, file.length() - TAIL_BYTES));
      byte[] end = new byte[(int) (file.length() - file.getFilePointer())];
      file.readFully(end);
      return new String(end, StandardCharsets.UTF_8);
    }
  }

  String text() {
    if (exitCode != null) {
      return "the last one ended at " + endedAt + " with status " + exitCode + meaning(exitCode);
    }
    return "the last one ("
        + session
        + ") "
        + (crashed ? "crashed: see " + DirectoryLayout.CRASH_REPORT + " there" : "was killed");
  }

  private static String meaning(int exitCode) {
    return switch (exitCode) {
      case 0 -> ": drained";
      case 1 -> ": fatal, see 'echopost logs'";
      case 4 -> ": stopped with records pending";
      case 5 -> ": drained, with rejections";
      default -> "";
    };
  }
}
