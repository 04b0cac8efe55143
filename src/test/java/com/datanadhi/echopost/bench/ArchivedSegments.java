package com.datanadhi.echopost.bench;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// The segments of a tenant's archive in a folder, for the floors that do the same work with them.
final class ArchivedSegments {
  private static final int BUFFER = 1 << 16;

  private ArchivedSegments() {}

  /// The files of packed segments, in order.
  ///
  /// @param archive the directory of the tenant
  static List<Path> in(Path archive) throws IOException {
    try (Stream<Path> files = Files.walk(archive)) {
      return files.filter(file -> file.toString().endsWith(".jsonl.gz")).sorted().toList();
    }
  }

  /// The lines of a segment.
  static byte[] unpack(Path segment) throws IOException {
    try (GZIPInputStream in =
        new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(segment)), BUFFER)) {
      return in.readAllBytes();
    }
  }
}
