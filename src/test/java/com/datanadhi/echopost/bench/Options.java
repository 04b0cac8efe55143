package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The options of a run.
///
/// @param json whether to print JSON instead of a table
/// @param only the name of the one benchmark to run; empty for all
/// @param earlier the results to compare with, or null
/// @param programs the programs to measure, EchoPost first
record Options(
    RunSize size,
    boolean json,
    String only,
    @Nullable BenchResults earlier,
    List<MeasuredProgram> programs) {
  private static final String USAGE =
      "usage: scripts/bench [--quick] [--json | --compare FILE] [--only NAME] [--program PATH]"
          + " [--peer PATH]";

  /// Parses the command line, and reads the results file of `--compare`.
  ///
  /// @throws IllegalArgumentException if an argument is wrong; the message is one line for people
  static Options parse(String... arguments) {
    RunSize size = RunSize.FULL;
    boolean json = false;
    String only = "";
    @Nullable BenchResults earlier = null;
    Map<String, Path> programs = new LinkedHashMap<>();
    programs.put(MeasuredProgram.ECHOPOST, PackagedProgram.path());
    Iterator<String> remaining = List.of(arguments).iterator();
    while (remaining.hasNext()) {
      switch (remaining.next()) {
        case "--quick" -> size = RunSize.QUICK;
        case "--json" -> json = true;
        case "--compare" -> earlier = earlier(path(remaining));
        case "--only" -> only = path(remaining).toString();
        case "--program" -> programs.put(MeasuredProgram.ECHOPOST, path(remaining));
        case "--peer" -> programs.put(MeasuredProgram.PEER, path(remaining));
        default -> throw new IllegalArgumentException(USAGE);
      }
    }
    if (json && earlier != null) {
      throw new IllegalArgumentException(USAGE);
    }
    for (Path program : programs.values()) {
      if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
        throw new IllegalArgumentException(program + " is not an executable file");
      }
    }
    return new Options(
        size,
        json,
        only,
        earlier,
        programs.entrySet().stream()
            .map(program ->
                new MeasuredProgram(program.getKey(), program.getValue().toAbsolutePath()))
            .toList());
  }

  private static Path path(Iterator<String> remaining) {
    if (!remaining.hasNext()) {
      throw new IllegalArgumentException(USAGE);
    }
    return Path.of(remaining.next());
  }

  private static BenchResults earlier(Path file) {
    try {
      return BenchResults.read(file);
    } catch (IOException wrong) {
      throw new IllegalArgumentException(
          "cannot compare with " + file + ": " + wrong.getMessage(), wrong);
    }
  }
}
