package com.datanadhi.testkit;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The journal that `diskshim.c` writes: the changes that a program made to the files of one
/// directory, in order. A reader from start to end, for one thread.
public final class DiskJournal implements AutoCloseable {
  private static final int HEADER = 24;

  /// A change. Paths are relative to the directory, whose own path is `""`.
  public sealed interface Change {
    String path();

    record Created(String path, long inode) implements Change {}

    record MadeDirectory(String path) implements Change {}

    @SuppressWarnings("ArrayRecordComponent")
    record Written(String path, long inode, long offset, byte[] data) implements Change {}

    record Resized(String path, long inode, long length) implements Change {}

    /// An fsync of a file or a directory.
    ///
    /// @param start the length of the journal when the fsync started; it covers the changes up to
    ///   there
    record Synced(String path, long inode, long start, boolean failed) implements Change {}

    record Renamed(String path, String to) implements Change {}

    record Linked(String path, String to) implements Change {}

    record Removed(String path) implements Change {}
  }

  /// A change and its place in the journal.
  ///
  /// @param end the offset in the journal, in bytes, where the entry of the change ends: the change
  ///   is done once the journal has this length
  public record JournaledChange(long end, Change change) {}

  private final DataInputStream in;
  private final ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.nativeOrder());
  private long position;

  public DiskJournal(Path file) throws IOException {
    this.in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16));
  }

  /// The next change; null at the end, or at an entry that is incomplete because the program ended.
  public @Nullable JournaledChange next() throws IOException {
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
    return new JournaledChange(position, change(kind, failed, path, data, inode, number));
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
      default -> throw new IOException("unknown kind of journal entry: " + kind);
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
