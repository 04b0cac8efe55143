package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Disk space that is reserved for deletes and checkpoints: a file that occupies it, and is deleted
/// when the disk is full. No record is accepted until the file has its full size again and there is
/// as much free space beyond it.
///
/// Used by the writer thread alone, except [#shortage].
final class DiskReserve {
  private static final int STEP = 256 << 10;
  private static final int PIECE = 16 << 10;

  private final ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE);
  private final Path file;
  private final Volume volume;
  private final long size;
  private long held;
  private volatile long shortage;

  DiskReserve(Path file, Volume volume) throws IOException {
    this.file = file;
    this.volume = volume;
    this.size = volume.walLimit();
    this.held = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
  }

  /// Bytes that must become free on the file system of `directory` before an agent that starts
  /// there accepts records; 0 when there are enough.
  static long shortageIn(Path directory) throws IOException {
    Volume volume = new Volume(directory);
    Path file = DirectoryLayout.reserve(directory);
    long held = Files.isRegularFile(file) ? Files.size(file) : 0;
    return Math.max(0, 2 * volume.walLimit() - held - volume.usableBytes());
  }

  /// Deletes the reserve that an earlier run left in `directory`.
  ///
  /// @return whether there was one
  static boolean delete(Path directory) throws IOException {
    return Files.deleteIfExists(DirectoryLayout.reserve(directory));
  }

  /// Bytes that must become free before records are accepted again; 0 while they are. Any thread.
  long shortage() {
    return shortage;
  }

  boolean isFullSize() {
    return held >= size;
  }

  /// The disk is full: deletes the reserve, for deletes and checkpoints alone.
  void release() throws IOException {
    if (shortage == 0) {
      Events.severe(
          EventNames.DISK_FULL,
          "room_needed_bytes",
          size + volume.walLimit(),
          "action",
          "free space on the file system of "
              + file.toAbsolutePath().getParent()
              + "; until then new records are refused, and delivery goes on");
    }
    Files.deleteIfExists(file);
    held = 0;
    shortage = Math.max(1, missing());
  }

  /// Takes one step towards the full size of the reserve, if there is space. At the full size
  /// records are accepted again.
  void rebuildStep() throws IOException {
    long missing = missing();
    if (missing > 0) {
      if (shortage == 0 && !isFullSize()) {
        release();
      }
      shortage = shortage == 0 ? 0 : missing;
      return;
    }
    if (!isFullSize()) {
      grow();
    }
    if (isFullSize() && shortage != 0) {
      shortage = 0;
      Events.info(EventNames.DISK_ROOM_RECOVERED, "reserve_bytes", held);
    }
  }

  // The rest of the reserve, and as much again beyond it. Otherwise the first new records would
  // fill the disk at once.
  private long missing() throws IOException {
    return size - held + volume.walLimit() - volume.usableBytes();
  }

  private void grow() throws IOException {
    try (FileChannel out =
        PrivateFiles.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      // The zeros are really written, since a sparse file would occupy nothing.
      for (long end = Math.min(held + STEP, size); held < end; ) {
        held += out.write(zeros.clear().limit((int) Math.min(PIECE, end - held)), held);
      }
      out.force(false);
    }
  }
}
