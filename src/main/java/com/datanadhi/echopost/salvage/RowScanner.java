package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.record.Checksum;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.RecordRules;
import com.datanadhi.echopost.record.RejectionDetails;
import com.datanadhi.echopost.record.StorageException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Finds rows of `records` and `rejected` in the images of pages, at any position and without
/// regard to the page header: every position where the header of such a row can begin is tried, its
/// overflow pages are followed, and only a right checksum makes it a row.
///
/// Text of a client cannot be mistaken for a row: the header of each row has a zero byte, and no
/// payload, pipeline or key has one. By SQLite's file format, sections 1.6 (cells), 1.7 (overflow)
/// and 2.1 (records). Holds one row at a time. Confined to one thread.
final class RowScanner {
  private static final int USABLE = PageImages.SIZE;
  private static final int LARGEST_LOCAL = USABLE - 35;
  private static final int SMALLEST_LOCAL = (USABLE - 12) * 32 / 255 - 23;
  private static final int CHAIN_BYTES = USABLE - 4;

  private static final int RECORD_COLUMNS = 7;
  private static final int REJECTED_COLUMNS = 11;
  private static final int SHORTEST_HEADER = 8;
  private static final int LONGEST_HEADER = 40;

  /// Payload, pipelines and keys are limited by the size of one call.
  private static final int MAX_ROW_BYTES = 4 * RecordRules.MAX_JSON_BYTES;

  private final PageImages images;
  private final byte[] page = new byte[PageImages.SIZE];
  private final byte[] chainPage = new byte[PageImages.SIZE];
  private final long[] types = new long[REJECTED_COLUMNS];
  private int columns;

  /// Receives rows.
  interface Taker {
    void take(SalvagedRow row) throws StorageException, InterruptedException;
  }

  RowScanner(PageImages images) {
    this.images = images;
  }

  /// Passes each sound row in image number `image` to `taker`.
  void scan(long image, Taker taker) throws StorageException, InterruptedException {
    images.read(image, page);
    for (int at = 1; at < USABLE - SHORTEST_HEADER; at++) {
      if (page[at + 1] == 0 && page[at] >= SHORTEST_HEADER && page[at] <= LONGEST_HEADER) {
        long bodyLength = readHeader(at);
        if (bodyLength >= 0 && bodyLength <= MAX_ROW_BYTES) {
          SalvagedRow row = readRow(at, page[at] + (int) bodyLength);
          if (row != null) {
            taker.take(row);
          }
        }
      }
    }
  }

  /// Reads the column types of a row that may begin at `start`.
  ///
  /// @return the length of its columns, or -1 when it is not a row of these tables
  private long readHeader(int start) {
    int end = start + page[start];
    if (end > USABLE) {
      return -1;
    }
    long length = 0;
    int at = start + 1;
    for (columns = 0; at < end; columns++) {
      long type = 0;
      int b;
      do {
        b = page[at++];
        type = type << 7 | (b & 0x7F);
      } while (b < 0 && at < end && type < Integer.MAX_VALUE);
      if (b < 0 || columns == REJECTED_COLUMNS || !fits(columns, type)) {
        return -1;
      }
      types[columns] = type;
      length += SerialType.lengthOf(type);
    }
    return columns == RECORD_COLUMNS || columns == REJECTED_COLUMNS ? length : -1;
  }

  private static boolean fits(int column, long type) {
    return switch (column) {
      case 0 -> type == SerialType.NULL;
      case 2, 3, 4, 8 -> SerialType.isText(type);
      case 5 -> SerialType.isText(type) || type == SerialType.NULL;
      default -> SerialType.isInteger(type);
    };
  }

  private @Nullable SalvagedRow readRow(int start, int length) {
    long id = idBefore(start);
    int local = localOf(length);
    boolean overflows = local < length;
    if (id <= 0 || start + local + (overflows ? 4 : 0) > USABLE) {
      return null;
    }
    if (!overflows) {
      return row(id, ByteBuffer.wrap(page, start, length).slice());
    }
    int first = ByteBuffer.wrap(page).getInt(start + local);
    if (images.imagesOf(first).length == 0) {
      return null;
    }
    byte[] whole = Arrays.copyOfRange(page, start, start + length);
    return new Chain(id, whole, local, first).follow();
  }

  /// Reads the id before the header. It is a varint: most significant group first, only the last
  /// byte without the high bit. The byte before it is the last one of another varint.
  private long idBefore(int start) {
    int first = start - 1;
    if (page[first] < 0) {
      return 0;
    }
    while (first > 0 && page[first - 1] < 0 && start - first < 8) {
      first--;
    }
    long id = 0;
    for (int at = first; at < start; at++) {
      id = id << 7 | (page[at] & 0x7F);
    }
    return id;
  }

  private static int localOf(int length) {
    if (length <= LARGEST_LOCAL) {
      return length;
    }
    int local = SMALLEST_LOCAL + (length - SMALLEST_LOCAL) % CHAIN_BYTES;
    return local <= LARGEST_LOCAL ? local : SMALLEST_LOCAL;
  }

  /// @param bytes the row with its header
  /// @return null when its checksum does not match
  private @Nullable SalvagedRow row(long id, ByteBuffer bytes) {
    bytes.position(bytes.get(0));
    NewRecord content =
        new NewRecord(
            SerialType.integer(bytes, types[1]),
            SerialType.text(bytes, types[2]),
            SerialType.text(bytes, types[3]),
            SerialType.text(bytes, types[4]),
            types[5] == SerialType.NULL ? null : SerialType.text(bytes, types[5]));
    if (SerialType.integer(bytes, types[6]) != Checksum.of(id, content)) {
      return null;
    }
    if (columns == RECORD_COLUMNS) {
      return new SalvagedRow(id, content, null);
    }
    return new SalvagedRow(
        id,
        content,
        new RejectionDetails(
            (int) SerialType.integer(bytes, types[7]),
            utf8(bytes, types[8]),
            SerialType.integer(bytes, types[9]),
            (int) SerialType.integer(bytes, types[10])));
  }

  private static String utf8(ByteBuffer bytes, long type) {
    return new String(SerialType.text(bytes, type), StandardCharsets.UTF_8);
  }

  /// The overflow pages of one row. Each may have several images. Tried are first the most likely
  /// image of each page, then the pages of the file, then each other image of one page at a time.
  private final class Chain {
    private final long id;
    private final byte[] whole;
    private final int local;
    private final int firstPage;

    // The number of images of each page of the chain, by its position in the chain.
    private final int[] choices;

    Chain(long id, byte[] whole, int local, int firstPage) {
      this.id = id;
      this.whole = whole;
      this.local = local;
      this.firstPage = firstPage;
      this.choices = new int[(whole.length - local + CHAIN_BYTES - 1) / CHAIN_BYTES];
    }

    @Nullable SalvagedRow follow() {
      SalvagedRow likeliest = followBy(false, -1, 0);
      if (likeliest != null) {
        return likeliest;
      }
      SalvagedRow fromFile = followBy(true, -1, 0);
      if (fromFile != null) {
        return fromFile;
      }
      for (int place = 0; place < choices.length; place++) {
        for (int choice = 1; choice < choices[place]; choice++) {
          SalvagedRow row = followBy(false, place, choice);
          if (row != null) {
            return row;
          }
        }
      }
      return null;
    }

    /// Follows the chain through the most likely images, except at `place`, where it takes the
    /// image `choice`.
    ///
    /// @param fileFirst whether pages of the file are preferred to all other images
    private @Nullable SalvagedRow followBy(boolean fileFirst, int place, int choice) {
      int number = firstPage;
      int done = local;
      for (int at = 0; done < whole.length; at++) {
        long[] all = images.imagesOf(number);
        choices[at] = all.length;
        int chosen = at == place ? choice : 0;
        if (chosen >= all.length) {
          return null;
        }
        boolean own = fileFirst && number >= 1 && number <= images.filePages();
        images.read(own ? number - 1L : all[chosen], chainPage);
        int length = Math.min(CHAIN_BYTES, whole.length - done);
        System.arraycopy(chainPage, 4, whole, done, length);
        done += length;
        number = ByteBuffer.wrap(chainPage).getInt(0);
      }
      return row(id, ByteBuffer.wrap(whole));
    }
  }
}
