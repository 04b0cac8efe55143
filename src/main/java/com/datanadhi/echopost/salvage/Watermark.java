package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.FileIdentity;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.Totals;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The file `buffer.db-watermark` beside the buffer, with the last settled id. It survives damage
/// to the buffer, so that a salvage can determine which rows are still pending.
///
/// Written in place after each commit, without an fsync of its own: to two places in turn, 4 KiB
/// apart and each with a checksum, so that a torn write damages only one. After a power loss it may
/// be behind the buffer, and then some records are delivered again; it is never ahead. When the
/// writer quarantines its buffer, a third place has the last committed id ([#seal]). Used by one
/// thread at a time, except [#hasLostName].
public final class Watermark implements AutoCloseable {
  private static final int PLACE_BYTES = 4096;
  private static final int PLACES = 2;
  private static final int SEAL = PLACES * PLACE_BYTES;

  /// The content of the file.
  ///
  /// @param bufferId the id of the buffer
  /// @param settledThrough every id up to this one is settled
  /// @param lastId at least this id has been assigned
  public record Mark(String bufferId, long settledThrough, long lastId) {
    boolean isAheadOf(long otherSettledThrough, long otherLastId) {
      return settledThrough > otherSettledThrough || lastId > otherLastId;
    }

    /// Whether it can be of the buffer `id` with this ledger, which it is never ahead of.
    public boolean canBelongTo(String id, Totals ledger) {
      return bufferId.equals(id) && !isAheadOf(ledger.settledThrough(), ledger.lastId());
    }
  }

  private final Path buffer;
  private FileChannel channel;
  private volatile @Nullable Object identity;
  private int nextPlace;
  private boolean failed;

  private Watermark(Path buffer, FileChannel channel) throws IOException {
    this.buffer = buffer;
    this.channel = channel;
    this.identity = FileIdentity.of(of(buffer));
  }

  static Path of(Path buffer) {
    return DirectoryLayout.beside(buffer, DirectoryLayout.WATERMARK_SUFFIX);
  }

  /// Opens the watermark of `buffer`, creating it if there is none. Removes the seal of a
  /// quarantined buffer that was moved back and is now written again.
  public static Watermark open(Path buffer) throws IOException {
    FileChannel channel = create(buffer);
    if (channel.size() > SEAL) {
      channel.truncate(SEAL).force(true);
    }
    return new Watermark(buffer, channel);
  }

  /// Whether the file's name leads to another file, or to none. Any thread.
  public boolean hasLostName() throws IOException {
    Object opened = identity;
    return opened == null || !opened.equals(FileIdentity.of(of(buffer)));
  }

  /// Writes to a new file from now on, if the old one has lost its name.
  public void restoreName() throws IOException {
    if (hasLostName()) {
      // What is there now is not this watermark: its content must not count.
      Files.deleteIfExists(of(buffer));
      FileChannel fresh = create(buffer);
      channel.close();
      channel = fresh;
      identity = FileIdentity.of(of(buffer));
    }
  }

  private static FileChannel create(Path buffer) throws IOException {
    return PrivateFiles.open(of(buffer), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /// Records that `committed` is the last ledger of `buffer`, which is not written any more; when
  /// this returns, that is on stable storage.
  public static void seal(Path buffer, String bufferId, Totals committed) throws IOException {
    try (FileChannel channel = create(buffer)) {
      int _ = channel.write(line(bufferId, committed), SEAL);
      channel.force(true);
    }
  }

  /// Writes the committed ledger. A failure is only logged, once: it means that records are
  /// delivered again if the buffer is damaged later.
  public void advance(String bufferId, Totals committed) {
    try {
      write(bufferId, committed);
    } catch (IOException unwritable) {
      if (!failed) {
        Events.warning(EventNames.WATERMARK_FAILED, "reason", unwritable.toString());
      }
      failed = true;
    }
  }

  private void write(String bufferId, Totals committed) throws IOException {
    int _ = channel.write(line(bufferId, committed), (long) nextPlace * PLACE_BYTES);
    nextPlace = (nextPlace + 1) % PLACES;
  }

  private static ByteBuffer line(String bufferId, Totals committed) {
    String text = bufferId + " " + committed.settledThrough() + " " + committed.lastId() + " ";
    return ByteBuffer.wrap((text + checksum(text) + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return Long.toHexString(crc.getValue());
  }

  /// Reads the watermark of `buffer`; null when there is none, or it is damaged.
  public static @Nullable Mark read(Path buffer) throws IOException {
    String all = text(buffer);
    Mark best = null;
    for (int place = 0; place < all.length(); place += PLACE_BYTES) {
      Mark mark = parse(all.substring(place));
      if (mark != null && (best == null || mark.isAheadOf(best.settledThrough(), best.lastId()))) {
        best = mark;
      }
    }
    return best;
  }

  /// Reads the seal of `buffer`; null when it is not sealed, and later commits are possible.
  static @Nullable Mark readSeal(Path buffer) throws IOException {
    String all = text(buffer);
    return all.length() > SEAL ? parse(all.substring(SEAL)) : null;
  }

  private static String text(Path buffer) throws IOException {
    Path file = of(buffer);
    return Files.isRegularFile(file) && Files.size(file) <= SEAL + PLACE_BYTES
        ? Files.readString(file, StandardCharsets.ISO_8859_1)
        : "";
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
