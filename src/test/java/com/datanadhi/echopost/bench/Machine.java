package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the figures were measured on.
///
/// @param fileSystem the type of the one that the buffers were on
record Machine(int cores, String kernel, String architecture, String jdk, String fileSystem) {
  static Machine ofThis(Path directory) throws IOException {
    return new Machine(
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("os.arch"),
        System.getProperty("java.vm.vendor") + " " + Runtime.version(),
        Files.getFileStore(directory).type());
  }

  /// Whether its file system keeps files in memory alone, where no figure of storage means
  /// anything.
  boolean forgets() {
    return fileSystem.equals("tmpfs");
  }
}
