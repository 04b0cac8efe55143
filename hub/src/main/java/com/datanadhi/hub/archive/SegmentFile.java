package com.datanadhi.hub.archive;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.StoredEvent;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/// A segment that is being written to a file. [#close] deletes it. Used by one thread.
final class SegmentFile implements AutoCloseable {
  private static final String PREFIX = "segment";
  private static final String SUFFIX = ".unfinished";
  private static final long CUT_PACKED = 8L << 20;
  private static final int CUT_RECORDS = 10_000;
  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final MessageDigest sha = Digests.sha256();
  private final Counting packed;
  private final GZIPOutputStream out;
  private final JsonText lines = new JsonText(BUFFER);
  private int records;
  private long unpacked;

  private SegmentFile(Path file, OutputStream to) throws IOException {
    this.file = file;
    packed = new Counting(new DigestOutputStream(to, sha));
    out = new GZIPOutputStream(packed, BUFFER);
  }

  /// @param scratch a directory, which is created when it is missing
  static SegmentFile create(Path scratch) throws IOException {
    Path directory = Files.createDirectories(scratch);
    Path file =
        Files.createTempFile(
            directory,
            PREFIX,
            SUFFIX,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    // Not a channel: an interrupt would close it.
    return new SegmentFile(
        file, new BufferedOutputStream(new FileOutputStream(file.toFile()), BUFFER));
  }

  /// Deletes what a process left that was killed.
  static void deleteLeftOver(Path scratch) throws IOException {
    if (Files.isDirectory(scratch)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(scratch, PREFIX + "*" + SUFFIX)) {
        for (Path file : files) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /// Counts what passes.
  private static final class Counting extends OutputStream {
    private final OutputStream to;
    private long bytes;

    private Counting(OutputStream to) {
      this.to = to;
    }

    @Override
    public void write(int b) throws IOException {
      to.write(b);
      bytes++;
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
      to.write(from, offset, length);
      bytes += length;
    }

    @Override
    public void flush() throws IOException {
      to.flush();
    }

    @Override
    public void close() throws IOException {
      to.close();
    }
  }

  /// Adds whole transactions, unless the segment is to be cut before them.
  ///
  /// @return whether they were added; always for the first ones
  boolean add(List<StoredEvent> transactions) throws IOException {
    boolean isFull =
        records + transactions.size() > CUT_RECORDS
            || packed.bytes >= CUT_PACKED
            || unpacked >= SegmentLines.CUT_UNPACKED;
    if (records > 0 && isFull) {
      return false;
    }
    for (StoredEvent row : transactions) {
      lines.clear();
      ArchiveLine.add(lines, row);
      lines.writeTo(out);
      unpacked += lines.length();
    }
    records += transactions.size();
    return true;
  }

  /// Ends the file: nothing is added any more.
  void finish() throws IOException {
    out.close();
  }

  Path file() {
    return file;
  }

  int records() {
    return records;
  }

  /// Of the finished file.
  long bytes() {
    return packed.bytes;
  }

  /// Of the finished file.
  String sha256() {
    return Digests.hex(sha.digest());
  }

  @Override
  public void close() throws IOException {
    try {
      out.close();
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
