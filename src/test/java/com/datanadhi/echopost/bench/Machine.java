package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The machine on which the figures were measured.
///
/// @param fileSystem the type of the buffers' file system
record Machine(int cores, String kernel, String architecture, String jdk, String fileSystem) {
  static Machine ofThis(Path directory) throws IOException {
    return new Machine(
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("os.arch"),
        System.getProperty("java.vm.vendor") + " " + Runtime.version(),
        Files.getFileStore(directory).type());
  }

  /// Whether the file system keeps files only in memory: then figures that depend on storage mean
  /// nothing.
  boolean isInMemory() {
    return fileSystem.equals("tmpfs");
  }
}
