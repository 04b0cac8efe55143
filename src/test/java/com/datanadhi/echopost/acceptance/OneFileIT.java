package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.SmallDisk;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The one file on a machine that has no Java: how it unpacks itself, and what it makes of places
/// where it cannot, or should not.
class OneFileIT extends AcceptanceTest {
  private static final String VERSION = "echopost v1.0.0\n";

  private Path cache;

  @BeforeEach
  void aCacheOfItsOwn() {
    cache = directory.resolve("cache");
  }

  private ProgramResult version(Map<String, String> environment)
      throws IOException, InterruptedException {
    return run(environment, "-version");
  }

  private Map<String, String> inCache() {
    return Map.of(AgentProcess.RUNTIME_DIR, cache.toString());
  }

  private Path unpacked() throws IOException {
    try (Stream<Path> entries = Files.list(cache)) {
      List<Path> all = entries.toList();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }

  @Test
  void the_first_start_unpacks_for_this_user_alone_and_later_ones_use_that() throws Exception {
    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwx------");
    Object first = Files.getAttribute(unpacked(), "unix:ino");

    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(Files.getAttribute(unpacked(), "unix:ino")).isEqualTo(first);
  }

  @Test
  void nothing_unpacked_tells_when_it_was_built() throws Exception {
    assertThat(version(inCache()).exit()).isZero();
    try (Stream<Path> all = Files.walk(unpacked())) {
      for (Path file : all.toList()) {
        if (!Files.isDirectory(file) && !file.endsWith("list")) {
          assertThat(Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toInstant())
              .as("%s", file)
              .isEqualTo("2000-01-01T00:00:00Z");
        }
      }
    }
  }

  @Test
  void it_looks_for_a_place_in_turn() throws Exception {
    Path home = Files.createDirectory(directory.resolve("home"));
    Path xdg = Files.createDirectory(directory.resolve("xdg"));
    Map<String, String> environment = new HashMap<>(Map.of("HOME", home.toString()));

    assertThat(version(environment).exit()).isZero();
    assertThat(home.resolve(".cache/echopost")).isDirectory();

    environment.put("XDG_CACHE_HOME", xdg.toString());
    assertThat(version(environment).exit()).isZero();
    assertThat(xdg.resolve("echopost")).isDirectory();

    assertThat(version(Map.of()).exit()).isZero();
    assertThat(directory.resolve(".datanadhi/.runtime")).isDirectory();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lib/server/libjvm.so",
        "lib/security/cacerts",
        "conf/net.properties",
        "conf/security/java.security",
        "conf/security/policy/unlimited/default_US_export.policy"
      })
  void a_damaged_file_is_replaced(String name) throws Exception {
    assertThat(version(inCache()).exit()).isZero();
    Path file = unpacked().resolve(name);
    assumeTrue(Files.exists(file), "skipped: it has another name here");
    byte[] sound = Files.readAllBytes(file);
    byte[] damaged = sound.clone();
    damaged[damaged.length / 2] ^= 1;
    Files.write(file, damaged);

    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(Files.readAllBytes(unpacked().resolve(name))).isEqualTo(sound);
  }

  @Test
  void other_tools_options_in_the_environment_change_nothing() throws Exception {
    Map<String, String> environment = new HashMap<>(inCache());
    // With the first two, tar and gzip print more, and newer versions of gzip fail for theirs.
    environment.put("TAR_OPTIONS", "-v");
    environment.put("GZIP", "-v");
    environment.put("TIME_STYLE", "full-iso");
    environment.put("BLOCK_SIZE", "1K");
    environment.put("QUOTING_STYLE", "c");
    environment.put("PATH", "");

    assertThat(version(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));
    Object first = Files.getAttribute(unpacked(), "unix:ino");
    // What one application has unpacked is sound for another.
    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(Files.getAttribute(unpacked(), "unix:ino")).isEqualTo(first);
  }

  @ParameterizedTest
  @CsvSource({"60, exec", "200, noexec"})
  void a_place_without_room_or_that_runs_nothing_is_passed_over_at_no_cost(
      int mebibytes, String option) throws Exception {
    String obstacle = SmallDisk.obstacle();
    assumeTrue(obstacle.isEmpty(), obstacle);
    SmallDisk _ = use(SmallDisk.mount(cache, mebibytes, option));
    Map<String, String> environment = new HashMap<>(inCache());
    environment.put("HOME", directory.toString());
    Path unpackings = directory.resolve("unpackings");
    Path tools = Files.createDirectory(directory.resolve("tools"));
    Path tar = tools.resolve("tar");
    Files.writeString(
        tar, "#!/bin/sh\necho >> '%s'\nPATH=/usr/bin:/bin exec tar \"$@\"\n".formatted(unpackings));
    Files.setPosixFilePermissions(tar, PosixFilePermissions.fromString("rwx------"));
    environment.put("PATH", tools + ":/usr/bin:/bin");

    assertThat(version(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));
    assertThat(version(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(directory.resolve(".cache/echopost")).isDirectory();
    assertThat(cache).isEmptyDirectory();
    assertThat(unpackings).as("a line for each").hasContent("\n").hasSize(1);
  }

  @Test
  void a_signal_to_show_the_threads_is_passed_on_and_ends_nobody() throws Exception {
    Path own = directory.resolve("own");
    Process process =
        start(
            AgentProcess.program(),
            UNPACKED,
            "-datanadhi",
            own.toString(),
            "-health-url",
            server.url());
    await().atMost(SOON).until(() -> Files.exists(own.resolve("data-nadhi-agent.sock")));

    assertThat(new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid())).start().waitFor())
        .isZero();
    BufferedReader out = process.inputReader();
    await().atMost(SOON).until(out::readLine, line -> line.startsWith("Full thread dump"));
    process.destroy();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  @Test
  void what_a_killed_start_left_is_no_hindrance() throws Exception {
    assertThat(version(inCache()).exit()).isZero();
    Path whole = unpacked();
    String id = String.valueOf(whole.getFileName());
    Process dead = new ProcessBuilder("true").start();
    assertThat(dead.waitFor()).isZero();
    Files.move(whole, cache.resolve(".new-" + dead.pid()));
    Files.createSymbolicLink(cache.resolve(".lock-" + id), Path.of(Long.toString(dead.pid())));

    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(unpacked()).isEqualTo(whole);
  }

  @Test
  void a_lock_that_names_a_stranger_holds_up_nobody_for_long() throws Exception {
    assertThat(version(inCache()).exit()).isZero();
    Path whole = unpacked();
    Files.move(whole, directory.resolve("elsewhere"));
    // The number of a start that was killed is somebody else's by now: this JVM's.
    Files.createSymbolicLink(
        cache.resolve(".lock-" + whole.getFileName()),
        Path.of(Long.toString(ProcessHandle.current().pid())));

    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(unpacked()).isEqualTo(whole);
  }

  @Test
  void a_place_that_java_cannot_name_is_passed_over() throws Exception {
    Path colon = directory.resolve("a:b");
    Map<String, String> environment = new HashMap<>();
    environment.put(AgentProcess.RUNTIME_DIR, colon.toString());
    environment.put("HOME", directory.toString());

    assertThat(version(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(directory.resolve(".cache/echopost")).isDirectory();
  }

  @Test
  void a_signal_while_it_starts_is_heard_whenever_it_comes() throws Exception {
    assertThat(version(inCache()).exit()).isZero();
    for (int i = 0; i < 30; i++) {
      Process process =
          start(
              AgentProcess.program(),
              inCache(),
              "-datanadhi",
              directory.resolve("own" + i % 2).toString(),
              "-health-url",
              server.url());
      assertThat(process.waitFor(10 + 5 * i, TimeUnit.MILLISECONDS)).isFalse();
      process.destroy();

      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      // 143: it came before the launcher's first line.
      assertThat(process.exitValue()).isIn(0, 4, 143);
    }
  }

  @Test
  void a_signal_while_it_unpacks_leaves_nothing_half_done() throws Exception {
    Process process = start(AgentProcess.program(), inCache(), "-version");
    await().atMost(SOON).until(() -> Files.exists(cache) && !isEmpty(cache));
    process.destroy();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    try (Stream<Path> left = Files.list(cache)) {
      assertThat(left.map(path -> String.valueOf(path.getFileName())))
          .noneMatch(name -> name.startsWith("."));
    }
  }

  private static boolean isEmpty(Path place) throws IOException {
    try (Stream<Path> entries = Files.list(place)) {
      return entries.findAny().isEmpty();
    }
  }

  @Test
  void a_place_that_others_can_write_to_is_not_trusted() throws Exception {
    Files.createDirectory(cache);
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    Map<String, String> environment = new HashMap<>(inCache());
    environment.put("HOME", directory.toString());

    assertThat(version(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(cache).isEmptyDirectory();
    assertThat(directory.resolve(".cache/echopost")).isDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"app", "bin", "conf", "lib", "lib/server"})
  void an_unpacked_directory_that_others_can_write_to_is_replaced(String name) throws Exception {
    assertThat(version(inCache()).exit()).isZero();
    Path inside = unpacked().resolve(name);
    Files.setPosixFilePermissions(inside, PosixFilePermissions.fromString("rwxrwxrwx"));

    assertThat(version(inCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(inside)))
        .isEqualTo("rwx------");
  }

  @Test
  void without_any_place_one_line_says_what_to_do() throws Exception {
    Path own = Files.createDirectory(directory.resolve("own"));
    Files.createFile(own.resolve(".runtime"));
    Map<String, String> environment = Map.of(AgentProcess.RUNTIME_DIR, "/dev/null/x");

    ProgramResult ran = run(environment, "-datanadhi", own.toString());

    assertThat(ran.exit()).isEqualTo(1);
    assertThat(ran.err()).startsWith("echopost: ").contains("ECHOPOST_RUNTIME_DIR").hasLineCount(1);
  }

  @Test
  void twenty_at_once_on_a_fresh_place_all_start() throws Exception {
    List<Process> many = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      many.add(start(AgentProcess.program(), inCache(), "-version"));
    }

    for (Process one : many) {
      assertThat(awaitEnd(one)).isEqualTo(new ProgramResult(0, VERSION, ""));
    }
    assertThat(unpacked()).isDirectory();
  }

  @Test
  void a_file_that_was_damaged_on_its_way_says_so() throws Exception {
    Path cut = directory.resolve("echopost");
    byte[] whole = Files.readAllBytes(AgentProcess.program());
    Files.write(cut, java.util.Arrays.copyOf(whole, whole.length - 1_000_000));
    Files.setPosixFilePermissions(cut, PosixFilePermissions.fromString("r-xr-xr-x"));

    ProgramResult ran = awaitEnd(start(cut, inCache(), "-version"));

    assertThat(ran.exit()).isEqualTo(1);
    assertThat(ran.err()).contains("damaged").hasLineCount(1);
  }

  @Test
  void the_program_can_lie_in_a_place_that_is_read_only() throws Exception {
    Path place = Files.createDirectory(directory.resolve("read only"));
    Path program = place.resolve("echopost");
    Files.copy(AgentProcess.program(), program);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("r-xr-xr-x"));
    Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("r-xr-xr-x"));
    try {
      assertThat(awaitEnd(start(program, inCache(), "-version")))
          .isEqualTo(new ProgramResult(0, VERSION, ""));
    } finally {
      Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void a_crash_leaves_its_report_in_the_session_and_nothing_elsewhere() throws Exception {
    // To Java, in the name of a report, these are no plain letters.
    cache = directory.resolve("at 100 %p%%");
    Path own = directory.resolve("own");
    Process process =
        start(
            AgentProcess.program(),
            inCache(),
            "-datanadhi",
            own.toString(),
            "-health-url",
            server.url());
    await().atMost(SOON).until(() -> Files.exists(own.resolve("data-nadhi-agent.sock")));
    long agent = process.children().findFirst().orElseThrow().pid();

    assertThat(new ProcessBuilder("kill", "-SEGV", Long.toString(agent)).start().waitFor())
        .isZero();

    // The guardian has put the report away when it starts the next agent.
    await()
        .atMost(SOON)
        .until(() ->
            process.children().map(ProcessHandle::pid).anyMatch(pid -> pid != agent)
                && Files.exists(own.resolve("data-nadhi-agent.sock")));
    try (Stream<Path> found = Files.walk(directory)) {
      List<String> reports =
          found
              .map(file -> directory.relativize(file).toString())
              .filter(name -> name.matches(".*(crash|hs_err|core|replay).*"))
              .toList();
      assertThat(reports).hasSize(1);
      assertThat(reports.getFirst()).matches("own/session-[^/]*/crash.log");
    }
  }
}
