package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/// Disk space that is reserved for deletes and checkpoints: a file that occupies it. On a full disk
/// it is given up in pieces, each of which is used at once, since any other program may take what
/// is free. No record is accepted until the file has its full size again and there is as much free
/// space beyond it.
///
/// Used by the writer thread alone, except [#shortage] and [#isLost].
final class DiskReserve {
  private static final int STEP = 256 << 10;
  private static final int PIECE = 16 << 10;

  private final ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE);
  private final Path file;
  private final Path directory;
  private final Volume volume;
  private final long size;
  private volatile long held;
  private volatile long shortage;

  DiskReserve(Path file, Volume volume) throws IOException {
    this.file = file;
    this.directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    this.volume = volume;
    this.size = volume.walLimit();
    boolean _ = removeIfLog(directory);
    this.held = sizeOf(file);
  }

  /// Whether another process has deleted or shortened the file. Any thread.
  boolean isLost() throws IOException {
    return held > sizeOf(file);
  }

  /// Counts only what is left of the file, so that the rest is built again.
  void recount() throws IOException {
    held = sizeOf(file);
  }

  /// Bytes that must become free on the file system of `directory` before an agent that starts
  /// there accepts records; 0 when there are enough.
  static long shortageIn(Path directory) throws IOException {
    Volume volume = new Volume(directory);
    long held = sizeOf(DirectoryLayout.reserve(directory));
    return Math.max(0, 2 * volume.walLimit() - held - volume.usableBytes());
  }

  private static long sizeOf(Path file) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
  }

  /// Gives up a piece of the reserve that an earlier run left in `directory`.
  ///
  /// @return whether there was one
  static boolean giveUp(Path directory) throws IOException {
    Path file = DirectoryLayout.reserve(directory);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    if (removeIfLog(directory)) {
      return true;
    }
    long left = Math.max(0, Files.size(file) - STEP);
    if (left == 0) {
      Files.delete(file);
    } else {
      truncate(file, left);
    }
    return true;
  }

  private static void truncate(Path file, long size) throws IOException {
    try (FileChannel channel = PrivateFiles.open(file, StandardOpenOption.WRITE)) {
      FileChannel _ = channel.truncate(size);
    }
  }

  /// A run that was killed while it closed its buffer has left the log under both names; a damaged
  /// buffer's log was moved since. Only the name is deleted, since the log can have records.
  private static boolean removeIfLog(Path directory) throws IOException {
    Path file = DirectoryLayout.reserve(directory);
    if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && !Integer.valueOf(1).equals(Files.getAttribute(file, "unix:nlink"))) {
      Files.delete(file);
      return true;
    }
    return false;
  }

  /// Bytes that must become free before records are accepted again; 0 while they are. Any thread.
  long shortage() {
    return shortage;
  }

  boolean isFullSize() {
    return held >= size;
  }

  /// The disk is full: no record is accepted until [#rebuildStep] ends that.
  void markFull() throws IOException {
    if (shortage == 0) {
      Events.severe(
          EventNames.DISK_FULL,
          "room_needed_bytes",
          size + volume.walLimit(),
          "action",
          "free space on the file system of "
              + directory
              + "; until then new records are refused, and delivery goes on");
    }
    shortage = Math.max(1, missing());
  }

  /// Gives up a piece, for a delete or a checkpoint that has failed on the full disk.
  ///
  /// @return false when nothing is left
  boolean giveUp() throws IOException {
    boolean given = giveUp(directory);
    held = sizeOf(file);
    return given;
  }

  /// Keeps the disk space of the write-ahead log, which SQLite deletes when it closes the buffer,
  /// if there is more of it than of the reserve: on a full disk the next run could not get it
  /// again. To be followed by [#forgetOpenLog].
  void adoptLog() throws IOException {
    Path log = DirectoryLayout.wal(DirectoryLayout.buffer(directory));
    if (shortage == 0 || sizeOf(log) <= held) {
      return;
    }
    Files.deleteIfExists(file);
    try {
      Path _ = Files.createLink(file, log);
    } catch (UnsupportedOperationException | FileSystemException impossible) {
      Events.warning(EventNames.RESERVE_FAILED, "reason", impossible.toString());
    }
  }

  /// Ends what [#adoptLog] began. The log still exists if another process has the buffer open: then
  /// its content counts, and the reserve must not be the same file.
  void forgetOpenLog() throws IOException {
    boolean _ = removeIfLog(directory);
  }

  /// Whether `bytes` are free beside the reserve.
  boolean isFree(long bytes) {
    try {
      return volume.usableBytes() >= bytes;
    } catch (IOException unknown) {
      return false;
    }
  }

  /// Takes one step towards the full size of the reserve, if there is space. At the full size
  /// records are accepted again.
  void rebuildStep() throws IOException {
    long missing = missing();
    if (missing > 0) {
      if (shortage == 0 && !isFullSize()) {
        markFull();
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
      long at = held;
      for (long end = Math.min(at + STEP, size); at < end; ) {
        at += out.write(zeros.clear().limit((int) Math.min(PIECE, end - at)), at);
        held = at;
      }
      out.force(false);
    }
  }
}
