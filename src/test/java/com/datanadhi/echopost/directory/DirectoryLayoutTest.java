package com.datanadhi.echopost.directory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryLayoutTest {
  private static final String DAMAGED =
      DirectoryLayout.BUFFER + DirectoryLayout.DAMAGED_INFIX + "2026-11-21T10-00-00Z";

  /// Constants that need no check of what is under their names.
  private static final Set<String> UNCHECKED =
      Set.of(
          // Replaced, never opened.
          "SOCKET",
          "PRIVATE_SOCKET",
          "TEMPORARY_SOCKET",
          // Only created, and only if there is no such file.
          "PROBE_PREFIX",
          // In the directory of a session, which is checked.
          "LOG",
          "METRICS",
          "CRASH_REPORT",
          // A directory's: see WorkspaceTest.
          "SESSION_PREFIX");

  private static Map<String, String> constants() {
    Map<String, String> constants = new TreeMap<>();
    for (Field field : DirectoryLayout.class.getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers()) && field.getType() == String.class) {
        field.setAccessible(true);
        try {
          constants.put(field.getName(), (String) field.get(null));
        } catch (IllegalAccessException impossible) {
          throw new AssertionError(impossible);
        }
      }
    }
    return constants;
  }

  /// Every name of a plain file that the agent opens in its directory, derived from the constants:
  /// a new constant is either here or among the unchecked.
  static Stream<String> fileNames() {
    List<String> names = new ArrayList<>();
    constants()
        .forEach((constant, value) -> {
          if (constant.equals("SALVAGE_REPORT_SUFFIX")) {
            names.add(DAMAGED + value);
          } else if (constant.endsWith("_SUFFIX")) {
            names.add(DirectoryLayout.BUFFER + value);
            names.add(DirectoryLayout.NEW_BUFFER + value);
            names.add(DAMAGED + value);
          } else if (constant.equals("DAMAGED_INFIX")) {
            names.add(DAMAGED);
          } else if (constant.equals("REPLACED_INFIX")) {
            names.add(DirectoryLayout.BUFFER + value + "2026-11-21T10-00-00Z");
          } else if (!UNCHECKED.contains(constant)) {
            names.add(value);
          }
        });
    return names.stream();
  }

  @ParameterizedTest
  @MethodSource("fileNames")
  void every_file_that_is_opened_has_a_name_that_is_checked(String name) {
    assertThat(DirectoryLayout.belongsToAgent(name)).isTrue();
  }

  @Test
  void the_names_are_those_of_the_documentation() {
    assertThat(fileNames())
        .contains(
            "agent.lock",
            "buffer.db",
            "buffer.db-wal",
            "buffer.db-shm",
            "buffer.db-journal",
            "buffer.db-watermark",
            "buffer.db.new",
            "buffer.db.new-wal",
            "buffer.db.damaged-2026-11-21T10-00-00Z",
            "buffer.db.damaged-2026-11-21T10-00-00Z-salvaged",
            "reserve");
    assertThat(constants())
        .containsEntry("SOCKET", "data-nadhi-agent.sock")
        .containsEntry("LOG", "agent.log")
        .containsEntry("METRICS", "metrics.prom")
        .containsEntry("SESSION_PREFIX", "session-");
  }

  @Test
  void a_crash_report_that_the_launcher_has_not_moved_yet_belongs_to_the_agent() {
    assertThat(DirectoryLayout.belongsToAgent("crash-4711.log")).isTrue();
    assertThat(DirectoryLayout.belongsToAgent("crash-.log")).isFalse();
  }

  @Test
  void no_unchecked_constant_is_missing() {
    assertThat(constants()).containsKeys(UNCHECKED.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"buffer.db.bak", "echopost", "session-of-somebody", "agent.log", "x"})
  void other_names_do_not_belong_to_the_agent(String name) {
    assertThat(DirectoryLayout.belongsToAgent(name)).isFalse();
  }

  @Test
  void the_launcher_uses_the_same_names() throws Exception {
    String launcher = Files.readString(Path.of("scripts/launcher.sh"));
    assertThat(launcher)
        .contains(
            "$dir/" + DirectoryLayout.LOCK,
            "$dir/" + DirectoryLayout.BUFFER,
            "$dir/" + DirectoryLayout.SOCKET,
            "$dir/" + DirectoryLayout.PRIVATE_SOCKET,
            "/" + DirectoryLayout.SESSION_PREFIX,
            "/" + DirectoryLayout.LOG,
            "/" + DirectoryLayout.CRASH_REPORT,
            "$dir/crash-$$.log");
  }
}
