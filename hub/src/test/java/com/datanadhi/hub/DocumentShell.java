package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Runs what a document shows: its commands are the lines that begin with four spaces and `$ `;
/// what follows, indented, is the output. They run one after the other in one shell.
final class DocumentShell {
  private static final String COMMAND = "    $ ";
  private static final String MARK = "@@end-of-output@@";

  /// What differs in each run: a pattern, and what stands for it.
  private static final String[][] VARYING = {
    {"\\r", ""},
    {"^Date: .*", "Date: D"},
    {"\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "T"},
    {"\\d{4}-\\d\\d-\\d\\d", "DAY"},
    {"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "U"},
    {"[0-9a-f]{8}/(events-0|control):", "E/$1:"},
    {"^echopost-hub \\S+ on .*", "echopost-hub V on DIR"},
    {"^\\d+ objects copied", "N objects copied"},
    {"^tenant _control: .*", "tenant _control: C"},
    {"process \\d+, up \\w+", "process P, up S"},
    {"\\d+ open database files", "N open database files"},
    {"^(Key )?\\w{10}( of|  acme)", "$1K$2"},
    {"\\b\\d+ms\\b", "L"},
    {"\"applier_lag_ms\":\\d+", "L"},
    {"\"last_snapshot\":(null|\"T\")", "\"last_snapshot\":L"},
    {"\\d+ records? not archived yet(, the last segment T)?", "N records not archived yet"},
    {"^snapshot (none yet|the newest T)$", "snapshot S"},
    {"\\d+(\\.\\d+)? ([KMG]i)?B\\b", "S"},
    {"\\d+\\.\\d MB(/s)?( in \\d+\\.\\d s)?", "S"},
    {"^(\\d+\\|)[0-9a-f]{64}$", "$1H"},
    {"^\"chain_after\":\"[0-9a-f]{64}\"$", "\"chain_after\":H"},
    {" +", " "},
    {" $", ""},
  };

  private final Path directory;
  private final Map<String, String> live = new LinkedHashMap<>();

  private record Step(String command, List<String> output) {}

  /// @param directory in which the commands run, with the hub as `echopost-hub`
  DocumentShell(Path directory) throws IOException {
    this.directory = directory;
    Path program = Files.createDirectory(directory.resolve("bin")).resolve("echopost-hub");
    Files.writeString(program, "#!/bin/sh\nexec '" + PackagedProgram.hub() + "' \"$@\"\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
  }

  /// What a text of the document is here.
  void replace(String documented, String here) {
    String _ = live.put(documented, here);
  }

  /// Runs the commands of a document and compares what they print.
  ///
  /// @param environment more variables
  /// @param isLeftOut which commands do not run, since somebody else has done it
  void check(Path document, Map<String, String> environment, Predicate<String> isLeftOut)
      throws IOException {
    List<Step> steps =
        steps(Files.readAllLines(document)).stream()
            .filter(step -> !isLeftOut.test(step.command))
            .toList();
    assertThat(steps).isNotEmpty();
    // What still runs at the end is ended.
    StringBuilder script = new StringBuilder("exec 2>&1\ntrap 'kill -9 $(jobs -p)' EXIT\n");
    for (Step step : steps) {
      script.append(here(step.command));
      script.append("\nprintf '\\n%s\\n' '").append(MARK).append("'\n");
    }
    String[] outputs = run(environment, "bash", "-c", script.toString()).split(MARK + "\n", -1);

    for (int i = 0; i < Math.min(steps.size(), outputs.length); i++) {
      Step step = steps.get(i);
      assertThat(comparable(documented(outputs[i]).lines().toList()))
          .as(step.command)
          .isEqualTo(comparable(step.output));
    }
    assertThat(outputs).hasSize(steps.size() + 1);
  }

  private String here(String command) {
    String text = command;
    for (Map.Entry<String, String> one : live.entrySet()) {
      text = text.replace(one.getKey(), one.getValue());
    }
    return text;
  }

  private String documented(String output) {
    String text = output;
    for (Map.Entry<String, String> one : live.entrySet()) {
      text = text.replace(one.getValue(), one.getKey());
    }
    return text;
  }

  private static List<String> comparable(List<String> lines) {
    List<String> texts = lines.stream().map(DocumentShell::comparable).toList();
    int end = texts.size();
    while (end > 0 && texts.get(end - 1).isEmpty()) {
      end--;
    }
    return texts.subList(0, end);
  }

  private static String comparable(String line) {
    String text = line;
    for (String[] pattern : VARYING) {
      text = text.replaceAll(pattern[0], pattern[1]);
    }
    return text;
  }

  private static List<Step> steps(List<String> lines) {
    List<Step> steps = new ArrayList<>();
    @Nullable Step step = null;
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      boolean isBlank = line.isEmpty();
      if (line.startsWith(COMMAND)) {
        step = new Step(line.substring(COMMAND.length()), new ArrayList<>());
        steps.add(step);
      } else if (step != null && (isBlank || line.startsWith("    "))) {
        step.output.add(isBlank ? "" : line.substring(4));
      } else {
        step = null;
      }
    }
    return steps;
  }

  /// The lines of a document between `begin` and the end of the block.
  static String block(Path document, String begin) throws IOException {
    return Files.readAllLines(document).stream()
        .dropWhile(line -> !line.equals(begin))
        .skip(1)
        .takeWhile(line -> !line.equals("```"))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  /// Whether the tool is on the path.
  boolean has(String tool) throws IOException {
    return run(Map.of(), "sh", "-c", "command -v " + tool + " || true").contains(tool);
  }

  /// Runs a command in the directory, and returns all that it prints.
  String run(Map<String, String> environment, String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder
        .environment()
        .merge("PATH", directory.resolve("bin").toString(), (path, bin) -> bin + ":" + path);
    builder
        .environment()
        .putIfAbsent(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());
    Process process = builder.start();
    process.getOutputStream().close();
    return new String(process.getInputStream().readAllBytes(), UTF_8);
  }
}
