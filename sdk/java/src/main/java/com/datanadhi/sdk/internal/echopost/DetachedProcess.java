package com.datanadhi.sdk.internal.echopost;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts a program that outlives us: in a session of its own, with the streams on the null device,
 * in its own directory. Java can make no session, so a shell, which the agent's launcher needs
 * anyway, looks for what can: setsid (Linux), Perl (macOS), Python; and where there is none of
 * them, it gives the program a process group of its own. Each but the last becomes the program,
 * whose process is the one returned. Descriptors beyond the streams are closed by the JDK.
 */
final class DetachedProcess {
  private static final String NEW_SESSION =
      """
      if command -v setsid > /dev/null 2>&1; then exec setsid "$@"; fi
      if command -v perl > /dev/null 2>&1; then
        exec perl -e 'use POSIX (); POSIX::setsid(); exec { $ARGV[0] } @ARGV; exit 127' "$@"
      fi
      if command -v python3 > /dev/null 2>&1 && [ ! -e /Library/Apple ]; then
        exec python3 -c 'import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])' "$@"
      fi
      trap '' HUP
      set -m 2> /dev/null
      "$@" &
      """;

  private DetachedProcess() {}

  static Process start(List<String> command, Path directory, Map<String, String> environment)
      throws IOException {
    List<String> line = new ArrayList<>(List.of("/bin/sh", "-c", NEW_SESSION, "datanadhi-sdk"));
    line.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .directory(directory.toFile())
            .redirectInput(Redirect.from(new File("/dev/null")))
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.DISCARD);
    builder.environment().putAll(environment);
    return builder.start();
  }
}
