package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.directory.DirectoryLayout;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Every image of a page in a damaged buffer: the pages of the file, then the frames of its
/// write-ahead log, whether committed, obsolete or damaged, in the order of the files.
///
/// Follows SQLite's file format (<https://sqlite.org/fileformat2.html>, sections 1.2 and 4). The
/// page size is assumed to be EchoPost's, since the header that has it may be damaged. Bytes that
/// the disk cannot read are zeros. Takes 9 bytes of memory per frame. Confined to one thread.
public final class PageImages implements AutoCloseable {
  /// The size of a page, in bytes.
  public static final int SIZE = 4096;

  /// The checksum does not match.
  private static final byte DAMAGED = 0;

  /// The checksum matches, but the frame is older than the last start of the log at its first
  /// frame.
  private static final byte OBSOLETE = 1;

  /// The checksum matches, and the frame was written since the last start of the log.
  private static final byte CURRENT = 2;

  private static final int WAL_HEADER = 32;
  private static final int FRAME_HEADER = 24;
  private static final int WAL_MAGIC = 0x377f0682;

  private final RandomAccessFile file;
  private final @Nullable RandomAccessFile log;
  private final long filePages;
  private final int frames;
  // Page number in the high half, frame in the low half, sorted.
  private final long[] framesByPage;
  // DAMAGED, OBSOLETE or CURRENT for each frame.
  private final byte[] frameState;
  private final int committedFrames;
  private boolean isLogExcluded;

  /// @param file the database; its log is beside it, as `file-wal`, if it has one
  /// @throws IOException when `file` cannot be opened
  PageImages(Path file) throws IOException {
    this.file = new RandomAccessFile(file.toFile(), "r");
    // The last page may be truncated.
    this.filePages = (this.file.length() + SIZE - 1) / SIZE;
    Path wal = DirectoryLayout.wal(file);
    this.log = Files.isRegularFile(wal) ? new RandomAccessFile(wal.toFile(), "r") : null;
    long logBytes = log == null ? 0 : log.length() - WAL_HEADER;
    this.frames = (int) Math.max(0, (logBytes + SIZE) / (FRAME_HEADER + SIZE));
    this.framesByPage = new long[frames];
    this.frameState = new byte[frames];
    this.committedFrames = log == null ? 0 : readFrames();
    Arrays.sort(framesByPage);
  }

  /// Checks each frame, and up to which frame SQLite itself would read the log (section 4.1).
  private int readFrames() {
    byte[] head = new byte[WAL_HEADER];
    readFully(log(), 0, head, WAL_HEADER);
    ByteBuffer header = ByteBuffer.wrap(head);
    boolean bigEndian = (header.getInt(0) & 1) != 0;
    int[] sum = WalChecksum.next(bigEndian, new int[2], head, 0, 24);
    boolean follows =
        (header.getInt(0) & ~1) == WAL_MAGIC
            && sum[0] == header.getInt(24)
            && sum[1] == header.getInt(28);
    if (!follows) {
      // The damaged header does not have the byte order: assume that of this machine.
      bigEndian = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;
    }
    sum = new int[] {header.getInt(24), header.getInt(28)};
    byte[] frame = new byte[FRAME_HEADER + SIZE];
    ByteBuffer view = ByteBuffer.wrap(frame);
    long salt = header.getLong(16);
    boolean saltIsKnown = follows;
    int committed = 0;
    for (int i = 0; i < frames; i++) {
      readFully(log(), WAL_HEADER + (long) i * frame.length, frame, frame.length);
      sum = WalChecksum.next(bigEndian, sum, frame, 0, 8);
      sum = WalChecksum.next(bigEndian, sum, frame, FRAME_HEADER, SIZE);
      framesByPage[i] = ((long) view.getInt(0) << 32) | i;
      boolean isSound = sum[0] == view.getInt(16) && sum[1] == view.getInt(20);
      if (isSound && !saltIsKnown) {
        // The header is damaged: the first frames were written since the log last started there.
        salt = view.getLong(8);
        saltIsKnown = true;
      }
      boolean hasSalt = view.getLong(8) == salt;
      frameState[i] = !isSound ? DAMAGED : hasSalt ? CURRENT : OBSOLETE;
      follows &= isSound && hasSalt;
      if (follows && view.getInt(4) != 0) {
        committed = i + 1;
      }
      // Continue from the stored checksum, so that a damaged frame does not invalidate later ones.
      sum = new int[] {view.getInt(16), view.getInt(20)};
    }
    return committed;
  }

  private RandomAccessFile log() {
    return Objects.requireNonNull(log);
  }

  /// The number of images.
  long count() {
    return filePages + (isLogExcluded ? 0 : frames);
  }

  /// The number of images that are pages of the file; these come first.
  long filePages() {
    return filePages;
  }

  /// The number of frames of the log that SQLite regards as committed; they precede the others.
  int committedFrames() {
    return committedFrames;
  }

  /// Excludes the log, which belongs to another database.
  void excludeLog() {
    isLogExcluded = true;
  }

  /// Reads one image. Bytes that are missing or cannot be read are zeros.
  void read(long image, byte[] into) {
    if (image < filePages) {
      readFully(file, image * SIZE, into, SIZE);
    } else {
      long frame = image - filePages;
      readFully(log(), WAL_HEADER + frame * (FRAME_HEADER + SIZE) + FRAME_HEADER, into, SIZE);
    }
  }

  private static void readFully(RandomAccessFile from, long position, byte[] into, int length) {
    int done = 0;
    try {
      from.seek(position);
      int n;
      while (done < length && (n = from.read(into, done, length - done)) > 0) {
        done += n;
      }
    } catch (IOException badSector) {
      // The other pages may be readable.
      done = 0;
    }
    Arrays.fill(into, done, length, (byte) 0);
  }

  /// The images of page `number`, the most likely current one first: the current frames, newest
  /// first, then the page in the file, into which all obsolete frames were written before the log
  /// started again, then the obsolete frames, then the damaged ones.
  long[] imagesOf(int number) {
    int from = isLogExcluded ? 0 : firstFrameOf(number);
    int to = from;
    while (!isLogExcluded && to < frames && (int) (framesByPage[to] >> 32) == number) {
      to++;
    }
    boolean inFile = number >= 1 && number <= filePages;
    long[] images = new long[to - from + (inFile ? 1 : 0)];
    int next = 0;
    for (byte state = CURRENT; state >= DAMAGED; state--) {
      for (int i = to - 1; i >= from; i--) {
        int frame = (int) framesByPage[i];
        if (frameState[frame] == state) {
          images[next++] = filePages + frame;
        }
      }
      if (state == CURRENT && inFile) {
        images[next++] = number - 1L;
      }
    }
    return images;
  }

  private int firstFrameOf(int number) {
    int at = Arrays.binarySearch(framesByPage, (long) number << 32);
    return at < 0 ? -at - 1 : at;
  }

  @Override
  public void close() throws IOException {
    file.close();
    if (log != null) {
      log.close();
    }
  }

  /// The cumulative checksum of a write-ahead log (section 4.2).
  private static final class WalChecksum {
    private WalChecksum() {}

    static int[] next(boolean bigEndian, int[] sum, byte[] data, int offset, int length) {
      ByteBuffer words =
          ByteBuffer.wrap(data).order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
      int s0 = sum[0];
      int s1 = sum[1];
      for (int i = offset; i < offset + length; i += 8) {
        s0 += words.getInt(i) + s1;
        s1 += words.getInt(i + 4) + s0;
      }
      return new int[] {s0, s1};
    }
  }
}
