package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a run was asked for.
///
/// @param json whether standard output gets JSON in place of a table
/// @param earlier the run to compare with, or null
/// @param programs to measure, EchoPost first
record Options(Effort effort, boolean json, @Nullable Report earlier, List<Program> programs) {
  private static final String USAGE =
      "usage: scripts/bench [--quick] [--json | --compare FILE] [--program PATH] [--peer PATH]";

  /// Reads the command line, and the results that it names.
  ///
  /// @throws IllegalArgumentException when it cannot be done; the message is one line that says why
  static Options parse(String... arguments) {
    Effort effort = Effort.FULL;
    boolean json = false;
    @Nullable Report earlier = null;
    Map<String, Path> programs = new LinkedHashMap<>();
    programs.put(Program.ECHOPOST, AgentProcess.program());
    Iterator<String> words = List.of(arguments).iterator();
    while (words.hasNext()) {
      switch (words.next()) {
        case "--quick" -> effort = Effort.QUICK;
        case "--json" -> json = true;
        case "--compare" -> earlier = earlier(path(words));
        case "--program" -> programs.put(Program.ECHOPOST, path(words));
        case "--peer" -> programs.put(Program.PEER, path(words));
        default -> throw new IllegalArgumentException(USAGE);
      }
    }
    if (json && earlier != null) {
      throw new IllegalArgumentException(USAGE);
    }
    for (Path program : programs.values()) {
      if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
        throw new IllegalArgumentException(program + " is no program that can be run");
      }
    }
    return new Options(
        effort,
        json,
        earlier,
        programs.entrySet().stream()
            .map(program -> new Program(program.getKey(), program.getValue().toAbsolutePath()))
            .toList());
  }

  private static Path path(Iterator<String> words) {
    if (!words.hasNext()) {
      throw new IllegalArgumentException(USAGE);
    }
    return Path.of(words.next());
  }

  private static Report earlier(Path file) {
    try {
      return Report.read(file);
    } catch (IOException wrong) {
      throw new IllegalArgumentException(
          "cannot compare with " + file + ": " + wrong.getMessage(), wrong);
    }
  }
}
