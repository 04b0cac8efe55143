package com.datanadhi.hub.hub;

import com.datanadhi.hub.health.AppendHealth;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Shows, while nobody appends, that the disk takes and syncs a write.
final class AppendProbe {
  private final Path file;
  private final AppendHealth health;

  AppendProbe(Path directory, AppendHealth health) {
    this.file = directory.resolve("append-probe");
    this.health = health;
  }

  /// Writes and syncs the file, if neither an append nor a probe has succeeded lately.
  void turn() {
    if (!health.isProbeDue()) {
      return;
    }
    try (FileChannel channel =
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      int _ = channel.write(ByteBuffer.wrap(new byte[512]), 0);
      channel.force(false);
      health.succeeded();
    } catch (IOException failed) {
      health.failed("a write to " + file + " failed: " + failed.getMessage());
    }
  }
}
