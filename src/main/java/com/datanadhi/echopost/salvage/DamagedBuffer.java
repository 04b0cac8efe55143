package com.datanadhi.echopost.salvage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The damaged file of a buffer, with its log and its watermark: the buffer's id, its last settled
/// id, and its sound rows. Read without SQLite, which may fail to open the file or misread it.
///
/// The last settled id is taken only from sources with checksums: the watermark, and sound frames
/// of the log. The ledger row in the file has no checksum, so it is used only if the sequence of
/// ids, on another page, confirms it. Confined to one thread.
public final class DamagedBuffer implements AutoCloseable {
  private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  private static final int UUID_BYTES = 36;

  /// The tables with the ledger and the sequence are created first, so their pages come first.
  private static final int LEDGER_PAGES = 64;

  private static final long LARGEST_ID = 1L << 62;

  private final PageImages images;
  private final RowScanner scanner;
  private final Watermark.@Nullable Mark mark;
  private final boolean markIsSure;
  private final long lastCommitted;

  /// @throws IOException when `file` cannot be opened
  public DamagedBuffer(Path file) throws IOException {
    this.images = new PageImages(file);
    this.scanner = new RowScanner(images);
    Watermark.Mark watermark = Watermark.read(file);
    LedgerCopy logs = ledger(images.filePages(), images.filePages() + images.committedFrames());
    LedgerCopy files = ledger(0, Math.min(images.filePages(), LEDGER_PAGES));
    if (watermark != null
        && files.bufferId != null
        && (files.bufferId.equals(logs.bufferId) || files.isConfirmed())
        && !files.bufferId.equals(watermark.bufferId())) {
      // Another buffer was copied over the file; the watermark is not its own.
      watermark = null;
    }
    String bufferId = watermark != null ? watermark.bufferId() : files.bufferId;
    if (bufferId != null && logs.bufferId != null && !bufferId.equals(logs.bufferId)) {
      images.excludeLog();
      logs = new LedgerCopy();
    }
    if (bufferId == null) {
      bufferId = logs.bufferId;
    }
    this.mark = bufferId == null ? null : mark(bufferId, watermark, logs, files);
    Watermark.Mark seal = watermark == null ? null : Watermark.readSeal(file);
    this.lastCommitted = seal == null ? Long.MAX_VALUE : seal.lastId();
    this.markIsSure = watermark != null || logs.bufferId != null || files.isConfirmed();
  }

  private static Watermark.Mark mark(
      String bufferId, Watermark.@Nullable Mark watermark, LedgerCopy logs, LedgerCopy files) {
    long settled =
        Math.max(logs.settledThrough, watermark == null ? 0 : watermark.settledThrough());
    if (watermark == null && files.isConfirmed()) {
      settled = Math.max(settled, files.settledThrough);
    }
    long last = Math.max(settled, watermark == null ? 0 : watermark.lastId());
    for (LedgerCopy one : new LedgerCopy[] {logs, files}) {
      last = one.lastId < LARGEST_ID ? Math.max(last, one.lastId) : last;
    }
    return new Watermark.Mark(bufferId, settled, last);
  }

  /// The buffer's id, the last settled id (0 when that is not known), and the last id that it is
  /// known to have assigned. Null when the buffer's id is not known.
  public Watermark.@Nullable Mark mark() {
    return mark;
  }

  /// Whether it is known which rows are settled.
  boolean isMarkSure() {
    return markIsSure;
  }

  /// The number of images of pages; [#rows] reads one of them.
  long images() {
    return images.count();
  }

  /// Passes each sound row of image number `image` to `taker`. If an id comes more than once, the
  /// first row counts, since the file and the committed log come before the rest of a failed
  /// commit. If the last committed id is known, rows above it are left out: they were committed to
  /// the new buffer, or their append failed.
  void rows(long image, RowScanner.Taker taker) throws StorageException, InterruptedException {
    scanner.scan(
        image,
        row -> {
          if (row.id() <= lastCommitted) {
            taker.take(row);
          }
        });
  }

  @Override
  public void close() throws IOException {
    images.close();
  }

  private LedgerCopy ledger(long firstImage, long endImage) {
    LedgerCopy ledger = new LedgerCopy();
    byte[] page = new byte[PageImages.SIZE];
    for (long image = firstImage; image < endImage; image++) {
      images.read(image, page);
      ledger.readFrom(page);
    }
    return ledger;
  }

  /// The newest rows of `meta` and `sqlite_sequence`, each the only row on its page.
  private static final class LedgerCopy {
    private static final int LEAF = 0x0D;
    private static final int ID_COLUMN = 1;

    @Nullable String bufferId;
    long settledThrough;
    long pending;
    long lastId;

    /// Reads a page: its header has the kind of page and the position of the cell. The cell has its
    /// length, the row's id, the length of its header, the types of its columns, and the columns.
    void readFrom(byte[] page) {
      ByteBuffer view = ByteBuffer.wrap(page);
      int cell = view.getShort(8) & 0xFFFF;
      if (page[0] != LEAF || view.getShort(3) != 1 || cell + 3 > page.length) {
        return;
      }
      int header = cell + 2;
      int body = header + page[header];
      int end = header + page[cell];
      if (page[cell] <= 0 || body <= header || body >= end || end > page.length) {
        return;
      }
      try {
        view.position(body).limit(end);
        if (page[header + 1] == SerialType.ofText("records".length())) {
          readSequence(view, page[header + 2]);
        } else if (page[header + 1] == SerialType.NULL
            && page[header + 1 + ID_COLUMN] == SerialType.ofText(UUID_BYTES)) {
          readMeta(view, page, header + 2 + ID_COLUMN);
        }
      } catch (BufferUnderflowException anotherTable) {
        // The page is of another table that resembles `meta`.
        return;
      }
    }

    private void readSequence(ByteBuffer view, int type) {
      String table = new String(SerialType.text(view, SerialType.ofText(7)), US_ASCII);
      if (table.equals("records") && SerialType.isInteger(type)) {
        lastId = SerialType.integer(view, type);
      }
    }

    private void readMeta(ByteBuffer view, byte[] page, int types) {
      String id = new String(SerialType.text(view, SerialType.ofText(UUID_BYTES)), US_ASCII);
      if (!UUID.matcher(id).matches()) {
        return;
      }
      // schema_version, settled_through, accepted, delivered, rejected
      long[] columns = new long[5];
      for (int i = 0; i < columns.length; i++) {
        if (!SerialType.isInteger(page[types + i])) {
          return;
        }
        columns[i] = SerialType.integer(view, page[types + i]);
      }
      bufferId = id;
      settledThrough = columns[1];
      pending = columns[2] - columns[3] - columns[4];
    }

    boolean isConfirmed() {
      return bufferId != null && settledThrough >= 0 && lastId - settledThrough == pending;
    }
  }
}
