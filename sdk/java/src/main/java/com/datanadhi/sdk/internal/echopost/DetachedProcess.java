package com.datanadhi.sdk.internal.echopost;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts a program that continues to run when this process and its process group end: in a new
 * session, with its standard streams on {@code /dev/null}, in its own working directory.
 *
 * <p>Java cannot start a session, so a shell script does it: with setsid (Linux), Perl (macOS) or
 * Python. Each of them replaces itself by the program, so the returned process is the program's. If
 * none is installed, the shell starts the program in a new process group and exits. The JDK closes
 * all other file descriptors.
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
    List<String> shell = new ArrayList<>(List.of("/bin/sh", "-c", NEW_SESSION, "datanadhi-sdk"));
    shell.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(shell)
            .directory(directory.toFile())
            .redirectInput(Redirect.from(new File("/dev/null")))
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.DISCARD);
    builder.environment().putAll(environment);
    return ChildProcess.start(builder);
  }
}
