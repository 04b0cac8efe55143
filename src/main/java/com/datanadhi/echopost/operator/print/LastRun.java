package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.directory.DirectoryLayout;
import org.jspecify.annotations.Nullable;

/// The end of the newest session, according to its log.
///
/// @param session the name of its directory
/// @param endedAt the time of the event `agent_stopped`; empty if the log has none
/// @param exitCode the agent's exit status; null if the log has none, because the agent was killed
///   or crashed
/// @param crashed whether the JVM wrote a crash report
/// @param obstacle why an agent could not write to its log now, in words; null if it could
public record LastRun(
    String session,
    String endedAt,
    @Nullable Integer exitCode,
    boolean crashed,
    @Nullable String obstacle) {
  String text() {
    if (exitCode != null) {
      return "the last run ended at " + endedAt + " with status " + exitCode + meaning(exitCode);
    }
    return "the last run (" + session + ") " + end();
  }

  private String end() {
    if (crashed) {
      return "crashed: see " + DirectoryLayout.CRASH_REPORT + " there";
    }
    return "was killed" + (obstacle == null ? "" : ", or could not log its end: " + obstacle);
  }

  private static String meaning(int exitCode) {
    return switch (exitCode) {
      case 0 -> ": drained";
      case 1 -> ": fatal, see 'echopost logs'";
      case 4 -> ": stopped with records pending";
      case 5 -> ": drained, with rejected records";
      default -> "";
    };
  }
}
