package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// A buffer that a test damages.
abstract class SalvageFixture extends BufferFixture {
  static final long EPOCH = 1L << 40;
  static final int RECORDS = 500;

  static String payload(int n) {
    return "\"" + Integer.toString(n).repeat(n % 50 == 0 ? 4_000 : 30) + "\"";
  }

  final void fill() {
    Appended.store(
        buffer,
        IntStream.rangeClosed(1, RECORDS).mapToObj(SalvageFixture::payload).toArray(String[]::new));
  }

  /// Reads as replay does.
  final List<PendingRecord> read() throws Exception {
    while (true) {
      try {
        buffer.salvage();
        return buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE);
      } catch (StorageException failed) {
        if (!failed.isCorruption() || buffer.failure() != null) {
          throw failed;
        }
      }
    }
  }

  final List<Long> ids() throws Exception {
    return read().stream().map(PendingRecord::id).toList();
  }

  static List<Long> range(long first, long last) {
    return new ArrayList<>(LongStream.rangeClosed(first, last).boxed().toList());
  }

  final void overwrite(long position, byte[] bytes) throws IOException {
    try (RandomAccessFile file =
        new RandomAccessFile(directory.resolve("buffer.db").toFile(), "rw")) {
      file.seek(position);
      file.write(bytes);
    }
  }

  final void garbageHeader() throws IOException {
    overwrite(0, "no header at all".repeat(6).getBytes(UTF_8));
  }

  /// Copies the files with `suffixes`, as a crash leaves them now.
  ///
  /// @return the directory of the copies
  final Path copyFiles(String... suffixes) throws IOException {
    Path copy = directory.resolveSibling(directory.getFileName() + "-crashed");
    Files.createDirectories(copy);
    for (String suffix : suffixes) {
      Files.copy(directory.resolve("buffer.db" + suffix), copy.resolve("buffer.db" + suffix));
    }
    return copy;
  }

  /// Writes a wrong page header over every page but the first, and leaves the rows where they are.
  final void damagePages() throws Exception {
    buffer.reclaimSpace();
    // Otherwise the writer would use the pages in its cache.
    change("PRAGMA user_version=1");
    for (long page = 1; page < Files.size(directory.resolve("buffer.db")) / 4096; page++) {
      overwrite(page * 4096, new byte[] {77, 77, 77, 77, 77, 77, 77, 77});
    }
  }

  /// The last change of a writer before its file is quarantined.
  interface LastChange {
    void write(BufferWriter writer) throws Exception;
  }

  /// Closes the buffer, lets a writer of its own make `last`, and quarantines the file as that
  /// writer would.
  final void quarantineAfter(LastChange last) throws Exception {
    buffer.close();
    Path file = directory.resolve("buffer.db");
    long walLimit = new Volume(directory).walLimit();
    try (Connection connection = Database.openWriter(file, walLimit, 50)) {
      BufferWriter writer = new BufferWriter(connection, file, new RecordKeys());
      last.write(writer);
      Quarantine.replaceBuffer(
          file, walLimit, clock, new StorageException.Corrupted("for a test"), writer);
    }
  }
}
