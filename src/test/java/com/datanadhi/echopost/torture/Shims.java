package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The shims in `src/test/c`: libraries that `LD_PRELOAD` puts between a program and the C library.
/// Each is compiled on first use. Thread-safe.
final class Shims {
  private static final Path SOURCES = Path.of("src/test/c");

  private Shims() {}

  /// Why they cannot be compiled on this machine, and how to fix that; empty if they can.
  static String skipReason() {
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

  /// The compiled library; compiles it if its source is newer.
  ///
  /// @param name the name of the source file, without `.c`
  static synchronized Path library(String name) throws IOException, InterruptedException {
    Path source = SOURCES.resolve(name + ".c");
    Path library = AgentProcess.program().resolveSibling("lib" + name + ".so");
    if (Files.exists(library)
        && Files.getLastModifiedTime(library).compareTo(Files.getLastModifiedTime(source)) > 0) {
      return library;
    }
    Process compiler =
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
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (compiler.waitFor() != 0) {
      throw new IOException("cannot compile " + source + ":\n" + output);
    }
    return library;
  }
}
