package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The file `buffer.db-watermark` beside the buffer: up to which id everything is settled, so that
/// damage to the buffer cannot take this too. With it a salvage knows which rows still count.
///
/// Written in place after each commit, without a sync of its own: two places in turn, 4 KiB apart,
/// each with a checksum, so that a torn write takes one alone. It may lag behind the buffer after a
/// power loss, when a few records are delivered again; it is never ahead. Confined to one thread.
final class Watermark implements AutoCloseable {
  static final String SUFFIX = "-watermark";
  private static final int PLACE_BYTES = 4096;
  private static final int PLACES = 2;

  /// @param bufferId the buffer's identity
  /// @param settledThrough every id up to this one is settled
  /// @param lastId at least this id has been given
  record Mark(String bufferId, long settledThrough, long lastId) {
    boolean isAheadOf(long otherSettledThrough, long otherLastId) {
      return settledThrough > otherSettledThrough || lastId > otherLastId;
    }

    /// Whether it was written of the buffer `id` with this ledger: it is never ahead.
    boolean canBeOf(String id, Totals ledger) {
      return bufferId.equals(id) && !isAheadOf(ledger.settledThrough(), ledger.lastId());
    }
  }

  private final FileChannel channel;
  private int nextPlace;
  private boolean failed;

  private Watermark(FileChannel channel) {
    this.channel = channel;
  }

  static Path of(Path buffer) {
    return buffer.resolveSibling(buffer.getFileName() + SUFFIX);
  }

  /// Opens the one of `buffer`, creating it when there is none.
  static Watermark open(Path buffer) throws IOException {
    return new Watermark(
        PrivateFiles.open(of(buffer), StandardOpenOption.CREATE, StandardOpenOption.WRITE));
  }

  /// Writes what was committed. A failure is logged and no more: it only means repeats, should the
  /// buffer be damaged.
  void advance(String bufferId, Totals committed) {
    try {
      write(bufferId, committed);
    } catch (IOException unwritable) {
      if (!failed) {
        Events.warning("watermark_failed", "reason", unwritable.toString());
      }
      failed = true;
    }
  }

  private void write(String bufferId, Totals committed) throws IOException {
    String text = bufferId + " " + committed.settledThrough() + " " + committed.lastId() + " ";
    ByteBuffer line =
        ByteBuffer.wrap((text + checksum(text) + "\n").getBytes(StandardCharsets.US_ASCII));
    int _ = channel.write(line, (long) nextPlace * PLACE_BYTES);
    nextPlace = (nextPlace + 1) % PLACES;
  }

  private static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return Long.toHexString(crc.getValue());
  }

  /// What the one of `buffer` says, or null where there is none that is sound.
  static @Nullable Mark read(Path buffer) throws IOException {
    Path file = of(buffer);
    if (!Files.isRegularFile(file) || Files.size(file) > PLACES * PLACE_BYTES) {
      return null;
    }
    String all = Files.readString(file, StandardCharsets.ISO_8859_1);
    Mark best = null;
    for (int place = 0; place < all.length(); place += PLACE_BYTES) {
      Mark mark = parse(all.substring(place));
      if (mark != null && (best == null || mark.isAheadOf(best.settledThrough(), best.lastId()))) {
        best = mark;
      }
    }
    return best;
  }

  private static @Nullable Mark parse(String text) {
    int end = text.indexOf('\n');
    int crc = text.lastIndexOf(' ', end);
    if (end < 0
        || crc < 0
        || !text.substring(crc + 1, end).equals(checksum(text.substring(0, crc + 1)))) {
      return null;
    }
    String[] parts = text.substring(0, crc).split(" ", 3);
    return new Mark(parts[0], Long.parseLong(parts[1]), Long.parseLong(parts[2]));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
