package com.datanadhi.echopost.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionsTest {
  private static final Instant NOW = Instant.parse("2026-11-21T10:00:00.999Z");

  @TempDir Path directory;

  private Set<String> names() throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private void prune(String own) throws IOException {
    Sessions.prune(directory, directory.resolve(own));
  }

  private void session(String name) throws IOException {
    Path session = Files.createDirectory(directory.resolve(name));
    Files.writeString(session.resolve("agent.log"), "{}\n");
  }

  @Test
  void a_session_is_named_by_its_second_in_utc_and_private() throws IOException {
    Path session = Sessions.create(directory, NOW);
    assertThat(session).isEqualTo(directory.resolve("session-2026-11-21T10-00-00Z"));
    assertThat(Files.getPosixFilePermissions(session))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void sessions_of_one_second_are_numbered() throws IOException {
    for (int i = 0; i < 3; i++) {
      var _ = Sessions.create(directory, NOW);
    }
    assertThat(names())
        .containsExactlyInAnyOrder(
            "session-2026-11-21T10-00-00Z",
            "session-2026-11-21T10-00-00Z-2",
            "session-2026-11-21T10-00-00Z-3");
  }

  @Test
  void the_newest_twenty_are_kept() throws IOException {
    for (int i = 0; i < 25; i++) {
      session("session-2026-11-%02dT10-00-00Z".formatted(1 + i));
    }
    prune("session-2026-11-25T10-00-00Z");
    assertThat(names())
        .hasSize(20)
        .contains("session-2026-11-25T10-00-00Z", "session-2026-11-06T10-00-00Z")
        .doesNotContain("session-2026-11-05T10-00-00Z");
  }

  @Test
  void sessions_keep_their_order_when_the_clock_is_set_back() throws IOException {
    List<Path> created = new ArrayList<>();
    for (String time :
        List.of(
            "2026-11-21",
            "2099-01-01",
            "2026-11-21",
            "2026-11-22",
            "2026-11-22",
            "2026-11-20",
            "2100-01-01",
            "2026-11-20")) {
      created.add(Sessions.create(directory, Instant.parse(time + "T10:00:00Z")));
    }

    assertThat(Sessions.list(directory)).isEqualTo(created);
    assertThat(created.stream().map(session -> session.getFileName().toString()))
        .containsExactly(
            "session-2026-11-21T10-00-00Z",
            "session-2099-01-01T10-00-00Z",
            "session-2026-11-21T10-00-00Z-1001",
            "session-2026-11-22T10-00-00Z-1001",
            "session-2026-11-22T10-00-00Z-1002",
            "session-2026-11-20T10-00-00Z-1003",
            "session-2100-01-01T10-00-00Z-1003",
            "session-2026-11-20T10-00-00Z-1004");
  }

  @Test
  void the_newest_sessions_are_kept_even_if_the_clock_was_set_back() throws IOException {
    for (int i = 0; i < 25; i++) {
      session("session-2026-11-%02dT10-00-00Z".formatted(1 + i));
    }
    Path before = Sessions.create(directory, Instant.parse("2026-10-30T10:00:00Z"));
    Path own = Sessions.create(directory, Instant.parse("2026-10-29T10:00:00Z"));
    Sessions.prune(directory, own);
    assertThat(Sessions.list(directory))
        .hasSize(20)
        .startsWith(directory.resolve("session-2026-11-08T10-00-00Z"))
        .endsWith(before, own);
  }

  @Test
  void the_tenth_run_of_a_second_is_newer_than_its_second() throws IOException {
    session("session-2026-11-21T10-00-00Z");
    for (int n = 2; n <= 22; n++) {
      session("session-2026-11-21T10-00-00Z-" + n);
    }
    prune("session-2026-11-21T10-00-00Z-22");
    assertThat(names())
        .hasSize(20)
        .doesNotContain("session-2026-11-21T10-00-00Z", "session-2026-11-21T10-00-00Z-2")
        .contains("session-2026-11-21T10-00-00Z-3", "session-2026-11-21T10-00-00Z-22");
  }

  @Test
  void nothing_but_sessions_is_touched() throws IOException {
    List<String> foreign =
        List.of(
            "session-old",
            "session-2026-11-21",
            "session-1999-01-01T00-00-00Z-x",
            "session-1999-01-01T00-00-00Z.bak",
            "my-session-1999-01-01T00-00-00Z");
    for (String name : foreign) {
      session(name);
    }
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("kept"), "");
    Files.createSymbolicLink(directory.resolve("session-1999-01-01T00-00-00Z"), elsewhere);
    Files.writeString(directory.resolve("session-1999-01-02T00-00-00Z"), "a plain file");
    Files.writeString(directory.resolve("echopost"), "");
    for (int i = 0; i < 25; i++) {
      session("session-2026-11-%02dT10-00-00Z".formatted(1 + i));
    }
    prune("session-2026-11-25T10-00-00Z");
    assertThat(names())
        .hasSize(20 + foreign.size() + 4)
        .containsAll(foreign)
        .contains("elsewhere", "echopost")
        .contains("session-1999-01-01T00-00-00Z", "session-1999-01-02T00-00-00Z");
    assertThat(elsewhere.resolve("kept")).exists();
  }

  @Test
  void fewer_than_twenty_sessions_are_all_kept() throws IOException {
    session("session-2026-11-21T10-00-00Z");
    prune("session-2026-11-21T10-00-00Z");
    assertThat(names()).containsExactly("session-2026-11-21T10-00-00Z");
  }

  @Test
  void an_old_session_that_cannot_be_deleted_does_not_prevent_deleting_the_others()
      throws Exception {
    for (int second = 10; second < 34; second++) {
      Files.createDirectory(directory.resolve("session-2026-01-01T00-00-" + second + "Z"));
    }
    Path stubborn =
        Files.createDirectories(directory.resolve("session-2026-01-01T00-00-10Z/of/somebody-else"));

    assertThatThrownBy(() -> prune("session-2026-01-01T00-00-33Z")).isInstanceOf(IOException.class);

    assertThat(stubborn).exists();
    try (var left = Files.list(directory)) {
      assertThat(left).hasSize(21);
    }
  }
}
