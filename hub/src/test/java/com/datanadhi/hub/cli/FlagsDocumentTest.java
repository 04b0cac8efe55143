package com.datanadhi.hub.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The table of flags in docs/hub/OPERATING.md.
class FlagsDocumentTest {
  private static final Pattern ROW =
      Pattern.compile(
          "^\\| `--([a-z-]+) (.+?)` \\| `(HUB_[A-Z_]+)` \\| (.+?) \\|", Pattern.MULTILINE);
  private static final Pattern HELP = Pattern.compile("^ {6}--([a-z-]+)=(\\S+)", Pattern.MULTILINE);

  @Test
  void the_table_has_each_flag_of_serve_with_its_variable_and_default() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int status =
        new Cli(
                (settings, _, _) -> 0,
                (settings, _) -> {
                  throw new AssertionError("help opens no directory");
                },
                Map.of(),
                out,
                out)
            .run("serve", "--help");
    assertThat(status).isZero();
    Map<String, List<String>> expected = new LinkedHashMap<>();
    Matcher help = HELP.matcher(out.toString(UTF_8));
    while (help.find()) {
      String flag = help.group(1);
      expected.put(
          flag,
          List.of(
              help.group(2),
              ServeFlags.variable(flag),
              ServeFlags.DEFAULTS.getOrDefault(flag, "?")));
    }
    Map<String, List<String>> documented = new LinkedHashMap<>();
    Matcher row = ROW.matcher(Files.readString(Path.of("../docs/hub/OPERATING.md")));
    while (row.find()) {
      String value = row.group(4);
      boolean hasDefault = value.startsWith("`");
      List<String> cells = new ArrayList<>();
      cells.add(row.group(2).replace("\\|", "|"));
      cells.add(row.group(3));
      cells.add(hasDefault ? value.substring(1, value.length() - 1) : "");
      documented.put(row.group(1), cells);
    }

    assertThat(expected).hasSizeGreaterThan(10);
    assertThat(documented).isEqualTo(expected);
  }
}
