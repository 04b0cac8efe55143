package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Reads the lines of a dropped file in parts, and marks those that were delivered: their first byte
 * becomes {@code #}. That needs no space on the disk, and a crash leaves either byte.
 */
final class DroppedLines {
  private static final int DELIVERED = '#';

  private DroppedLines() {}

  /**
   * A record and its place.
   *
   * @param offset of its line in the file
   */
  record Line(OutgoingRecord record, long offset) {}

  /**
   * Some lines in a row.
   *
   * @param lines the records that are not delivered
   * @param unreadable the number of lines that are not records
   * @param delivered the number of lines that are marked
   * @param end the offset of the line after them
   * @param isLast whether the file ends there
   */
  record Part(List<Line> lines, int unreadable, int delivered, long end, boolean isLast) {}

  /**
   * Reads from {@code offset}, the start of a line, until there are {@code maxRecords} records, or
   * {@code maxBytes} of the file or more were read.
   */
  static Part read(Path file, long offset, int maxRecords, long maxBytes) throws IOException {
    List<Line> lines = new ArrayList<>();
    int unreadable = 0;
    int delivered = 0;
    long at = offset;
    // A channel would be closed when this thread is interrupted.
    try (InputStream in = new BufferedInputStream(new FileInputStream(file.toFile()), 1 << 16)) {
      in.skipNBytes(offset);
      while (lines.size() < maxRecords && at - offset < maxBytes) {
        byte[] line = readLine(in);
        if (line.length == 0) {
          return new Part(lines, unreadable, delivered, at, true);
        }
        String text = new String(line, StandardCharsets.UTF_8);
        if (line[0] == DELIVERED) {
          delivered++;
        } else if (!text.isBlank()) {
          Optional<OutgoingRecord> record =
              DroppedLine.parse(text.strip(), file.getFileName() + ":" + at);
          if (record.isPresent()) {
            lines.add(new Line(record.get(), at));
          } else {
            unreadable++;
          }
        }
        at += line.length;
      }
    }
    return new Part(lines, unreadable, delivered, at, false);
  }

  /** The next line with its line break, which the last one may lack; empty at the end. */
  private static byte[] readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next;
    do {
      next = in.read();
      if (next >= 0) {
        line.write(next);
      }
    } while (next >= 0 && next != '\n');
    return line.toByteArray();
  }

  /**
   * Whether the first line ends as those of this SDK do, marked or not. A file that is empty or
   * incomplete is not of this SDK, which completes a line before it releases the lock of writers.
   */
  static boolean isOfThisSdk(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(new FileInputStream(file.toFile()), 1 << 12)) {
      return DroppedLine.endsWithKey(new String(readLine(in), StandardCharsets.UTF_8).strip());
    }
  }

  /**
   * Marks the lines at these offsets as delivered, on stable storage. The file's time of
   * modification stays, since it tells the age of the records.
   */
  static void markDelivered(Path file, Collection<Long> offsets) throws IOException {
    FileTime written = Files.getLastModifiedTime(file);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      for (long offset : offsets) {
        out.seek(offset);
        out.write(DELIVERED);
      }
      out.getFD().sync();
    }
    setWritten(file, written);
  }

  private static void setWritten(Path file, FileTime time) {
    try {
      Files.setLastModifiedTime(file, time);
    } catch (IOException notTheOwner) {
      // The records are kept for longer then.
    }
  }

  /**
   * Copies the lines that are not marked to a new file, on stable storage. A line without a key
   * gets the one that it had by its place, since it can have been delivered under that.
   */
  static void copyUndelivered(Path from, Path to) throws IOException {
    Files.createFile(to, PrivateFiles.FILE_ATTRIBUTES);
    try (InputStream in = new BufferedInputStream(new FileInputStream(from.toFile()), 1 << 16);
        FileOutputStream file = new FileOutputStream(to.toFile());
        OutputStream out = new BufferedOutputStream(file, 1 << 16)) {
      long at = 0;
      for (byte[] line = readLine(in); line.length > 0; line = readLine(in)) {
        if (line[0] != DELIVERED) {
          out.write(withKey(line, from.getFileName() + ":" + at));
        }
        at += line.length;
      }
      out.flush();
      file.getFD().sync();
    }
    setWritten(to, Files.getLastModifiedTime(from));
  }

  private static byte[] withKey(byte[] line, String location) {
    String text = new String(line, StandardCharsets.UTF_8).strip();
    Optional<OutgoingRecord> record = DroppedLine.parse(text, location);
    return record.isEmpty() || DroppedLine.hasKey(text)
        ? line
        : (DroppedLine.format(record.get()) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** The number of lines that are not marked, whether they are records or not. */
  static long count(Path file) throws IOException {
    long count = 0;
    Part part;
    long at = 0;
    do {
      part = read(file, at, Integer.MAX_VALUE, 1 << 20);
      count += part.lines().size() + part.unreadable();
      at = part.end();
    } while (!part.isLast());
    return count;
  }
}
