package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The object store of a hub that is a folder, looked at without code of the hub.
record HubObjects(Path folder) {
  private static final String CHECKSUM = ".checksum";
  private static final Pattern LAST_SEQ = Pattern.compile("\"last_seq\":([0-9]+)");

  /// The value of `--objects`.
  String url() {
    return "file:" + folder;
  }

  Path archive(String tenant) {
    return folder.resolve("archive").resolve(tenant);
  }

  Path snapshots(String tenant) {
    return folder.resolve("snapshots").resolve(tenant);
  }

  /// The data objects of a tenant's archive, in order.
  List<Path> segments(String tenant) throws IOException {
    return files(archive(tenant), ".jsonl.gz");
  }

  /// The checksum of a data object.
  static Path checksum(Path segment) {
    return segment.resolveSibling(segment.getFileName().toString().replace(".jsonl.gz", CHECKSUM));
  }

  /// The manifests of a tenant's finished snapshots, in order of time.
  List<Path> manifests(String tenant) throws IOException {
    return files(snapshots(tenant), "manifest.json");
  }

  /// The last seq that counts as archived; 0 before the first.
  long archivedSeq(String tenant) throws IOException {
    List<Path> checksums = files(archive(tenant), CHECKSUM);
    if (checksums.isEmpty()) {
      return 0;
    }
    Matcher last = LAST_SEQ.matcher(Files.readString(checksums.getLast()));
    return last.find() ? Long.parseLong(last.group(1)) : 0;
  }

  /// All files whose names end so, in order; none without the folder.
  static List<Path> files(Path folder, String end) throws IOException {
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (Stream<Path> found = Files.walk(folder)) {
      return found
          .filter(file -> file.toString().endsWith(end) && Files.isRegularFile(file))
          .sorted(Comparator.comparing(Path::toString))
          .toList();
    } catch (UncheckedIOException changedMeanwhile) {
      throw changedMeanwhile.getCause();
    }
  }
}
