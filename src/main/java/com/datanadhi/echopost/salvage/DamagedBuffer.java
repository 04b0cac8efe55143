package com.datanadhi.echopost.salvage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A buffer's file that SQLite cannot be trusted with, its log and its watermark beside it: whose
/// it was, what of it still counts, and its sound rows.
///
/// What says which rows are settled may only come from where damage shows: the watermark, or frames
/// of the log with right checksums. Of the file's own ledger row no checksum speaks, so it counts
/// only where the sequence of ids, on another page, bears it out. Confined to one thread.
public final class DamagedBuffer implements AutoCloseable {
  private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  private static final int UUID_BYTES = 36;

  /// The tables that say this are the first that a migration makes, and so are their pages.
  private static final int LEDGER_PAGES = 64;

  private static final long LARGEST_ID = 1L << 62;

  private final PageImages images;
  private final RowScanner scanner;
  private final Watermark.@Nullable Mark mark;
  private final boolean markIsSure;
  private final long lastCommitted;

  /// @throws IOException when there is nothing that can be opened
  public DamagedBuffer(Path file) throws IOException {
    this.images = new PageImages(file);
    this.scanner = new RowScanner(images);
    Watermark.Mark beside = Watermark.read(file);
    Ledger logs = ledger(images.filePages(), images.filePages() + images.committedFrames());
    Ledger files = ledger(0, Math.min(images.filePages(), LEDGER_PAGES));
    if (beside != null
        && files.bufferId != null
        && (files.bufferId.equals(logs.bufferId) || files.isBorneOut())
        && !files.bufferId.equals(beside.bufferId())) {
      // Somebody put another buffer in its place.
      beside = null;
    }
    String bufferId = beside != null ? beside.bufferId() : files.bufferId;
    if (bufferId != null && logs.bufferId != null && !bufferId.equals(logs.bufferId)) {
      images.leaveLogOut();
      logs = new Ledger();
    }
    if (bufferId == null) {
      bufferId = logs.bufferId;
    }
    this.mark = bufferId == null ? null : mark(bufferId, beside, logs, files);
    Watermark.Mark seal = beside == null ? null : Watermark.readSeal(file);
    this.lastCommitted = seal == null ? Long.MAX_VALUE : seal.lastId();
    this.markIsSure = beside != null || logs.bufferId != null || files.isBorneOut();
  }

  private static Watermark.Mark mark(
      String bufferId, Watermark.@Nullable Mark beside, Ledger logs, Ledger files) {
    long settled = Math.max(logs.settledThrough, beside == null ? 0 : beside.settledThrough());
    if (beside == null && files.isBorneOut()) {
      settled = Math.max(settled, files.settledThrough);
    }
    long last = Math.max(settled, beside == null ? 0 : beside.lastId());
    for (Ledger one : new Ledger[] {logs, files}) {
      last = one.lastId < LARGEST_ID ? Math.max(last, one.lastId) : last;
    }
    return new Watermark.Mark(bufferId, settled, last);
  }

  /// Whose it was, through which id everything was settled (0 where that is not known), and the
  /// last id that it is known to have given. Null when nothing of this is known.
  public Watermark.@Nullable Mark mark() {
    return mark;
  }

  /// Whether it is known what was settled.
  boolean isMarkSure() {
    return markIsSure;
  }

  /// Pages and frames to look at.
  long images() {
    return images.count();
  }

  /// Hands over each sound row of image number `image`. The same id may come again: then the first
  /// is the one that counts, since what the file or the committed log holds comes before what was
  /// left over from a commit that failed. Where it is known what was committed last, rows beyond
  /// that are left out: they were stored anew, or their clients were told that they were not.
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

  private Ledger ledger(long firstImage, long endImage) {
    Ledger ledger = new Ledger();
    byte[] page = new byte[PageImages.SIZE];
    for (long image = firstImage; image < endImage; image++) {
      images.read(image, page);
      ledger.readFrom(page);
    }
    return ledger;
  }

  /// What the newest rows of `meta` and `sqlite_sequence` say, each the only one of its page.
  private static final class Ledger {
    private static final int LEAF = 0x0D;
    private static final int ID_COLUMN = 1;

    @Nullable String bufferId;
    long settledThrough;
    long pending;
    long lastId;

    /// The page's header: its kind, and where the cell begins. The cell: its length, the row's id,
    /// the length of its header, the types of its columns, the columns.
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
      } catch (BufferUnderflowException noRowOfOurs) {
        // Another table's page that looked like one.
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

    boolean isBorneOut() {
      return bufferId != null && settledThrough >= 0 && lastId - settledThrough == pending;
    }
  }
}
