package com.datanadhi.testkit;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// The shims: libraries that `LD_PRELOAD` puts between a program and the C library. Their C sources
/// are resources of this package, and each is compiled on first use. Thread-safe.
public final class Shims {
  private Shims() {}

  /// Why they cannot be compiled on this machine, and how to fix that; empty if they can.
  public static String skipReason() {
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
  public static synchronized Path library(String name) throws IOException, InterruptedException {
    Path source = source(name);
    Path library = PackagedProgram.path().resolveSibling("lib" + name + ".so");
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

  private static Path source(String name) {
    try {
      URI source = Objects.requireNonNull(Shims.class.getResource(name + ".c"), name).toURI();
      return Path.of(source);
    } catch (URISyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
