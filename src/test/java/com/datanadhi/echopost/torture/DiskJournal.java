package com.datanadhi.echopost.torture;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What a program did to the files of one directory, in order, as `src/test/c/diskshim.c` wrote it
/// down. Read from its start to its end, once, by one thread.
final class DiskJournal implements AutoCloseable {
  private static final int HEADER = 24;

  /// Something that was done. Paths are relative to the directory, which itself is `""`.
  sealed interface Change {
    String path();

    record Created(String path, long inode) implements Change {}

    record MadeDirectory(String path) implements Change {}

    @SuppressWarnings("ArrayRecordComponent")
    record Written(String path, long inode, long offset, byte[] data) implements Change {}

    record Resized(String path, long inode, long length) implements Change {}

    /// An fsync has ended, of a file or a directory. It covers what ended before `begun`, a place
    /// in the journal.
    record Synced(String path, long inode, long begun, boolean failed) implements Change {}

    record Renamed(String path, String to) implements Change {}

    record Linked(String path, String to) implements Change {}

    record Removed(String path) implements Change {}
  }

  /// @param end where its entry ends in the journal, in bytes: it has happened once the journal is
  ///   so long
  record Entry(long end, Change change) {}

  private final DataInputStream in;
  private final ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.nativeOrder());
  private long position;

  DiskJournal(Path file) throws IOException {
    this.in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16));
  }

  /// The next entry, or null at the end. One that was cut off by the program's end is none.
  @Nullable Entry next() throws IOException {
    if (in.readNBytes(header.array(), 0, HEADER) < HEADER) {
      return null;
    }
    char kind = (char) header.get(0);
    boolean failed = header.get(1) != 0;
    int pathLength = header.getShort(2) & 0xFFFF;
    int dataLength = header.getInt(4);
    long inode = header.getLong(8);
    long number = header.getLong(16);
    String path = text(in.readNBytes(pathLength));
    byte[] data = in.readNBytes(dataLength);
    if (data.length < dataLength) {
      return null;
    }
    position += HEADER + pathLength + dataLength;
    return new Entry(position, change(kind, failed, path, data, inode, number));
  }

  private static Change change(
      char kind, boolean failed, String path, byte[] data, long inode, long number)
      throws IOException {
    return switch (kind) {
      case 'c' -> new Change.Created(path, inode);
      case 'm' -> new Change.MadeDirectory(path);
      case 'w' -> new Change.Written(path, inode, number, data);
      case 't' -> new Change.Resized(path, inode, number);
      case 's' -> new Change.Synced(path, inode, number, failed);
      case 'r' -> new Change.Renamed(path, text(data));
      case 'l' -> new Change.Linked(path, text(data));
      case 'u' -> new Change.Removed(path);
      default -> throw new IOException("not an entry of the shim's: " + kind);
    };
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
