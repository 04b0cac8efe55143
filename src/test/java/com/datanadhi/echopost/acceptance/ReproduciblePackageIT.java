package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
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

/// `scripts/package` run again gives the runtime of the build.
class ReproduciblePackageIT {
  private static final Path BUILT = PackagedProgram.path().resolveSibling("runtime/image");

  /// Excluded: the AOT cache records a run of the JVM, and differs each time.
  private static final Path CACHE = Path.of("app/echopost.aot");

  private Path scratch;

  @BeforeEach
  void createScratchDirectory() throws IOException {
    assumeTrue(Files.isDirectory(BUILT), "skipped: the program was not built here");
    scratch = Files.createTempDirectory(PackagedProgram.path().getParent(), "package");
  }

  @AfterEach
  void deleteScratchDirectory() throws IOException {
    if (scratch != null) {
      Directories.delete(scratch);
    }
  }

  @Test
  void packaging_a_copy_of_the_jar_in_another_directory_gives_the_same_runtime() throws Exception {
    List<Path> jars;
    try (Stream<Path> built = Files.list(PackagedProgram.path().getParent())) {
      jars = built.filter(file -> file.toString().endsWith("-all.jar")).toList();
    }
    assertThat(jars).hasSize(1);
    Path copy = Files.copy(jars.getFirst(), scratch.resolve("echopost.jar"));
    Path output = scratch.resolve("output");
    Process packaging =
        new ProcessBuilder(
                "scripts/package",
                "echopost",
                copy.toString(),
                Files.readString(PackagedProgram.path().resolveSibling("test-classpath")),
                scratch.resolve("echopost").toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(packaging.waitFor(5, TimeUnit.MINUTES)).isTrue();
      assertThat(packaging.exitValue()).as(Files.readString(output)).isZero();
    } finally {
      Processes.kill(packaging);
    }

    Map<Path, String> repackaged = contents(scratch.resolve("runtime/image"));
    assertThat(repackaged).containsKey(Path.of("bin/java"));
    assertThat(repackaged).isEqualTo(contents(BUILT));
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
