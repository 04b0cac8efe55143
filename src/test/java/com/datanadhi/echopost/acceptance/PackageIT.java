package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Directories;
import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `scripts/package` beside the build that has run.
class PackageIT {
  private static final Path BUILT = AgentProcess.program().resolveSibling("runtime/image");

  /// The AOT cache records a run, and no two are the same.
  private static final Path CACHE = Path.of("app/echopost.aot");

  private Path elsewhere;

  @BeforeEach
  void aPlaceWithRoom() throws IOException {
    assumeTrue(Files.isDirectory(BUILT), "skipped: the program was not built here");
    elsewhere = Files.createTempDirectory(AgentProcess.program().getParent(), "package");
  }

  @AfterEach
  void clear() throws IOException {
    if (elsewhere != null) {
      Directories.delete(elsewhere);
    }
  }

  @Test
  void the_same_jar_gives_the_same_runtime_wherever_it_is_packed() throws Exception {
    List<Path> jars;
    try (Stream<Path> built = Files.list(AgentProcess.program().getParent())) {
      jars = built.filter(file -> file.toString().endsWith("-all.jar")).toList();
    }
    assertThat(jars).hasSize(1);
    Path copy = Files.copy(jars.getFirst(), elsewhere.resolve("echopost.jar"));
    Path said = elsewhere.resolve("said");
    Process packing =
        new ProcessBuilder(
                "scripts/package",
                copy.toString(),
                Files.readString(AgentProcess.program().resolveSibling("test-classpath")),
                elsewhere.resolve("echopost").toString())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertThat(packing.waitFor(150, TimeUnit.SECONDS)).isTrue();
      assertThat(packing.exitValue()).as(Files.readString(said)).isZero();
    } finally {
      AgentProcess.kill(packing);
    }

    Map<Path, String> again = contents(elsewhere.resolve("runtime/image"));
    assertThat(again).containsKey(Path.of("bin/java"));
    assertThat(again).isEqualTo(contents(BUILT));
  }

  private static Map<Path, String> contents(Path image) throws IOException {
    try (Stream<Path> all = Files.walk(image)) {
      Map<Path, String> contents = new TreeMap<>();
      all.map(image::relativize)
          .filter(file -> !file.equals(CACHE))
          .forEach(file -> contents.put(file, describe(image.resolve(file))));
      return contents;
    }
  }

  private static String describe(Path file) {
    try {
      String content =
          Files.isSymbolicLink(file)
              ? Files.readSymbolicLink(file).toString()
              : Files.isDirectory(file)
                  ? ""
                  : MoreFiles.asByteSource(file).hash(Hashing.sha256()).toString();
      return String.join(
          " ",
          PosixFilePermissions.toString(
              Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS)),
          Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toString(),
          content);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
