package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The libraries that stand between a program and its machine (`LD_PRELOAD`), `src/test/c`. They
/// are compiled when they are first needed. Thread-safe.
final class Shims {
  private static final Path SOURCES = Path.of("src/test/c");

  private Shims() {}

  /// Why there are none on this machine, and how to mend that; empty when there are.
  static String obstacle() {
    try {
      return new ProcessBuilder("cc", "--version").redirectErrorStream(true).start().waitFor() == 0
          ? ""
          : "the C compiler does not work: see cc --version";
    } catch (IOException none) {
      return "there is no C compiler: install one (Debian: apt-get install gcc libc6-dev)";
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /// Builds one, if its source has changed since.
  ///
  /// @param name of its source, without `.c`
  static synchronized Path library(String name) throws IOException, InterruptedException {
    Path source = SOURCES.resolve(name + ".c");
    Path library = AgentProcess.program().resolveSibling("lib" + name + ".so");
    if (Files.exists(library)
        && Files.getLastModifiedTime(library).compareTo(Files.getLastModifiedTime(source)) > 0) {
      return library;
    }
    Process compiling =
        new ProcessBuilder(
                List.of(
                    "cc",
                    "-shared",
                    "-fPIC",
                    "-O2",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-o",
                    library.toString(),
                    source.toString(),
                    "-ldl",
                    "-lpthread"))
            .redirectErrorStream(true)
            .start();
    String said = new String(compiling.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (compiling.waitFor() != 0) {
      throw new IOException("cannot compile " + source + ":\n" + said);
    }
    return library;
  }
}
