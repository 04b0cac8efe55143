package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.SmallDisk;
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

/// The program is one file that contains its Java runtime: how it unpacks itself, and how it
/// handles directories into which it cannot or must not unpack.
class SelfExtractionIT extends AcceptanceTest {
  private static final String VERSION = "echopost v1.0.0\n";

  private Path cache;

  @BeforeEach
  void nameCache() {
    cache = directory.resolve("cache");
  }

  private ProgramResult runVersion(Map<String, String> environment)
      throws IOException, InterruptedException {
    return run(environment, "-version");
  }

  private Map<String, String> withCache() {
    return Map.of(PackagedProgram.RUNTIME_DIR, cache.toString());
  }

  private Path unpackedRuntime() throws IOException {
    try (Stream<Path> entries = Files.list(cache)) {
      List<Path> all = entries.toList();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }

  @Test
  void the_first_start_unpacks_for_this_user_only_and_later_starts_reuse_it() throws Exception {
    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwx------");
    Object first = Files.getAttribute(unpackedRuntime(), "unix:ino");

    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(Files.getAttribute(unpackedRuntime(), "unix:ino")).isEqualTo(first);
  }

  @Test
  void unpacked_files_have_a_fixed_modification_time() throws Exception {
    assertThat(runVersion(withCache()).exit()).isZero();
    try (Stream<Path> all = Files.walk(unpackedRuntime())) {
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
  void the_runtime_directory_is_chosen_in_the_documented_order() throws Exception {
    Path home = Files.createDirectory(directory.resolve("home"));
    Path xdg = Files.createDirectory(directory.resolve("xdg"));
    Map<String, String> environment = new HashMap<>(Map.of("HOME", home.toString()));

    assertThat(runVersion(environment).exit()).isZero();
    assertThat(home.resolve(".cache/echopost")).isDirectory();

    environment.put("XDG_CACHE_HOME", xdg.toString());
    assertThat(runVersion(environment).exit()).isZero();
    assertThat(xdg.resolve("echopost")).isDirectory();

    assertThat(runVersion(Map.of()).exit()).isZero();
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
    assertThat(runVersion(withCache()).exit()).isZero();
    Path file = unpackedRuntime().resolve(name);
    assumeTrue(Files.exists(file), "skipped: this runtime has no such file");
    byte[] intact = Files.readAllBytes(file);
    byte[] damaged = intact.clone();
    damaged[damaged.length / 2] ^= 1;
    Files.write(file, damaged);

    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(Files.readAllBytes(unpackedRuntime().resolve(name))).isEqualTo(intact);
  }

  @Test
  void environment_variables_of_other_tools_change_nothing() throws Exception {
    Map<String, String> environment = new HashMap<>(withCache());
    // The first two make tar and gzip print more, and make newer versions of gzip fail.
    environment.put("TAR_OPTIONS", "-v");
    environment.put("GZIP", "-v");
    environment.put("TIME_STYLE", "full-iso");
    environment.put("BLOCK_SIZE", "1K");
    environment.put("QUOTING_STYLE", "c");
    environment.put("PATH", "");

    assertThat(runVersion(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));
    Object first = Files.getAttribute(unpackedRuntime(), "unix:ino");
    // A start with another environment accepts the unpacked files too.
    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(Files.getAttribute(unpackedRuntime(), "unix:ino")).isEqualTo(first);
  }

  @ParameterizedTest
  @CsvSource({"60, exec", "200, noexec"})
  void a_directory_without_space_or_mounted_noexec_is_skipped_without_unpacking(
      int mebibytes, String option) throws Exception {
    SmallDisk _ = use(SmallDisk.mountOrSkip(cache, mebibytes + "m", option));
    Map<String, String> environment = new HashMap<>(withCache());
    environment.put("HOME", directory.toString());
    Path tarCalls = directory.resolve("tar-calls");
    Path tools = Files.createDirectory(directory.resolve("tools"));
    Path tar = tools.resolve("tar");
    Files.writeString(
        tar, "#!/bin/sh\necho >> '%s'\nPATH=/usr/bin:/bin exec tar \"$@\"\n".formatted(tarCalls));
    Files.setPosixFilePermissions(tar, PosixFilePermissions.fromString("rwx------"));
    environment.put("PATH", tools + ":/usr/bin:/bin");

    assertThat(runVersion(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));
    assertThat(runVersion(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(directory.resolve(".cache/echopost")).isDirectory();
    assertThat(cache).isEmptyDirectory();
    assertThat(tarCalls).as("one line per call of tar").hasContent("\n").hasSize(1);
  }

  @Test
  void a_sigquit_prints_a_thread_dump_and_the_program_continues() throws Exception {
    Path agentDirectory = directory.resolve("own");
    Process process =
        start(
            PackagedProgram.path(),
            UNPACKED,
            "-datanadhi",
            agentDirectory.toString(),
            "-health-url",
            server.url());
    await().atMost(SOON).until(() -> Files.exists(agentDirectory.resolve("data-nadhi-agent.sock")));

    assertThat(new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid())).start().waitFor())
        .isZero();
    BufferedReader out = process.inputReader();
    await().atMost(SOON).until(out::readLine, line -> line.startsWith("Full thread dump"));
    process.destroy();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  @Test
  void leftovers_of_a_killed_start_are_replaced() throws Exception {
    assertThat(runVersion(withCache()).exit()).isZero();
    Path runtime = unpackedRuntime();
    String id = String.valueOf(runtime.getFileName());
    Process dead = new ProcessBuilder("true").start();
    assertThat(dead.waitFor()).isZero();
    Files.move(runtime, cache.resolve(".new-" + dead.pid()));
    Files.createSymbolicLink(cache.resolve(".lock-" + id), Path.of(Long.toString(dead.pid())));

    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(unpackedRuntime()).isEqualTo(runtime);
  }

  @Test
  void a_lock_with_the_pid_of_another_process_does_not_block_a_start() throws Exception {
    assertThat(runVersion(withCache()).exit()).isZero();
    Path runtime = unpackedRuntime();
    Files.move(runtime, directory.resolve("elsewhere"));
    // The pid of a killed start has been reused by another process: this JVM.
    Files.createSymbolicLink(
        cache.resolve(".lock-" + runtime.getFileName()),
        Path.of(Long.toString(ProcessHandle.current().pid())));

    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(unpackedRuntime()).isEqualTo(runtime);
  }

  @Test
  void a_directory_with_a_colon_in_its_path_is_skipped() throws Exception {
    Path colon = directory.resolve("a:b");
    Map<String, String> environment = new HashMap<>();
    environment.put(PackagedProgram.RUNTIME_DIR, colon.toString());
    environment.put("HOME", directory.toString());

    assertThat(runVersion(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(directory.resolve(".cache/echopost")).isDirectory();
  }

  @Test
  void a_sigterm_at_any_time_during_the_start_ends_the_program() throws Exception {
    assertThat(runVersion(withCache()).exit()).isZero();
    for (int i = 0; i < 30; i++) {
      Process process =
          start(
              PackagedProgram.path(),
              withCache(),
              "-datanadhi",
              directory.resolve("own" + i % 2).toString(),
              "-health-url",
              server.url());
      assertThat(process.waitFor(10 + 5 * i, TimeUnit.MILLISECONDS)).isFalse();
      process.destroy();

      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      // 143: the signal came before the launcher had set its trap.
      assertThat(process.exitValue()).isIn(0, 4, 143);
    }
  }

  @Test
  void a_sigterm_while_unpacking_leaves_no_partial_files() throws Exception {
    Process process = start(PackagedProgram.path(), withCache(), "-version");
    await().atMost(SOON).until(() -> Files.exists(cache) && !isEmpty(cache));
    process.destroy();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    try (Stream<Path> left = Files.list(cache)) {
      assertThat(left.map(path -> String.valueOf(path.getFileName())))
          .noneMatch(name -> name.startsWith("."));
    }
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.findAny().isEmpty();
    }
  }

  @Test
  void a_runtime_directory_that_others_can_write_to_is_not_used() throws Exception {
    Files.createDirectory(cache);
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    Map<String, String> environment = new HashMap<>(withCache());
    environment.put("HOME", directory.toString());

    assertThat(runVersion(environment)).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(cache).isEmptyDirectory();
    assertThat(directory.resolve(".cache/echopost")).isDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"app", "bin", "conf", "lib", "lib/server"})
  void an_unpacked_directory_that_others_can_write_to_is_replaced(String name) throws Exception {
    assertThat(runVersion(withCache()).exit()).isZero();
    Path inside = unpackedRuntime().resolve(name);
    Files.setPosixFilePermissions(inside, PosixFilePermissions.fromString("rwxrwxrwx"));

    assertThat(runVersion(withCache())).isEqualTo(new ProgramResult(0, VERSION, ""));

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(inside)))
        .isEqualTo("rwx------");
  }

  @Test
  void without_a_usable_directory_one_line_names_the_variable_to_set() throws Exception {
    Path agentDirectory = Files.createDirectory(directory.resolve("own"));
    Files.createFile(agentDirectory.resolve(".runtime"));
    Map<String, String> environment = Map.of(PackagedProgram.RUNTIME_DIR, "/dev/null/x");

    ProgramResult result = run(environment, "-datanadhi", agentDirectory.toString());

    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err())
        .startsWith("echopost: ")
        .contains("ECHOPOST_RUNTIME_DIR")
        .hasLineCount(1);
  }

  @Test
  void twenty_concurrent_first_starts_all_succeed() throws Exception {
    List<Process> starts = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      starts.add(start(PackagedProgram.path(), withCache(), "-version"));
    }

    for (Process start : starts) {
      assertThat(awaitEnd(start)).isEqualTo(new ProgramResult(0, VERSION, ""));
    }
    assertThat(unpackedRuntime()).isDirectory();
  }

  @Test
  void a_truncated_program_file_is_reported_as_damaged() throws Exception {
    Path truncated = directory.resolve("echopost");
    byte[] complete = Files.readAllBytes(PackagedProgram.path());
    Files.write(truncated, java.util.Arrays.copyOf(complete, complete.length - 1_000_000));
    Files.setPosixFilePermissions(truncated, PosixFilePermissions.fromString("r-xr-xr-x"));

    ProgramResult result = awaitEnd(start(truncated, withCache(), "-version"));

    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err()).contains("damaged").hasLineCount(1);
  }

  @Test
  void the_program_runs_from_a_read_only_directory() throws Exception {
    Path readOnly = Files.createDirectory(directory.resolve("read only"));
    Path program = readOnly.resolve("echopost");
    Files.copy(PackagedProgram.path(), program);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("r-xr-xr-x"));
    Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("r-xr-xr-x"));
    try {
      assertThat(awaitEnd(start(program, withCache(), "-version")))
          .isEqualTo(new ProgramResult(0, VERSION, ""));
    } finally {
      Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void a_crash_report_is_written_only_to_the_session_directory() throws Exception {
    // In the name of a crash report the JVM replaces % sequences.
    cache = directory.resolve("at 100 %p%%");
    Path agentDirectory = directory.resolve("own");
    Process process =
        start(
            PackagedProgram.path(),
            withCache(),
            "-datanadhi",
            agentDirectory.toString(),
            "-health-url",
            server.url());
    await().atMost(SOON).until(() -> Files.exists(agentDirectory.resolve("data-nadhi-agent.sock")));
    long agent = process.children().findFirst().orElseThrow().pid();

    assertThat(new ProcessBuilder("kill", "-SEGV", Long.toString(agent)).start().waitFor())
        .isZero();

    // The guardian moves the report before it starts the next agent.
    await()
        .atMost(SOON)
        .until(() ->
            process.children().map(ProcessHandle::pid).anyMatch(pid -> pid != agent)
                && Files.exists(agentDirectory.resolve("data-nadhi-agent.sock")));
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
