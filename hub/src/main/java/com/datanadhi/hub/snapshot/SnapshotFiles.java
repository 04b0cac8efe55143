package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The databases of one snapshot on their way from the store into a directory. Not thread-safe.
final class SnapshotFiles {
  private final ObjectStore objects;
  private final Snapshot snapshot;
  private final Path directory;
  private final List<Path> created = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();
  private final SnapshotContents contents;

  SnapshotFiles(ObjectStore objects, Snapshot snapshot, Path directory) {
    this.objects = objects;
    this.snapshot = snapshot;
    this.directory = directory;
    contents = new SnapshotContents(snapshot, directory);
  }

  /// Writes and compares them.
  ///
  /// @return the faults, a line each that begins with the key of an object
  List<String> download() throws IOException, InterruptedException {
    for (Map.Entry<String, FileDigest> file : snapshot.manifest().files().entrySet()) {
      download(file.getKey(), file.getValue());
    }
    faults.addAll(contents.faults(created.stream().map(this::name).toList()));
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
    return faults;
  }

  private void download(String name, FileDigest expected) throws IOException, InterruptedException {
    String key = snapshot.key(name);
    Path file = directory.resolve(name);
    FileDigest found;
    try (InputStream in = objects.open(key)) {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      created.add(file);
      try (FileOutputStream out = new FileOutputStream(file.toFile())) {
        found = ContentDigest.of(in, out, expected.bytes());
        out.getFD().sync();
      }
    } catch (ObjectStoreException failed) {
      if (failed.kind() != Kind.MISSING) {
        throw failed;
      }
      faults.add(key + ": is missing");
      return;
    }
    String difference = ContentDigest.difference(found, expected);
    if (difference != null) {
      faults.add(key + ": " + difference);
    }
  }

  /// Of the records that came; null if they could not be read.
  @Nullable SnapshotPositions positions() {
    return contents.positions();
  }

  private String name(Path file) {
    return file.getFileName().toString();
  }

  /// Deletes what was written.
  void delete() throws IOException {
    for (Path file : created) {
      Files.deleteIfExists(file);
    }
  }
}
