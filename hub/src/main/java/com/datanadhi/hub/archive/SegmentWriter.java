package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.archive.TenantRows.ChangedException;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes one segment behind a tenant's archive, and gives it its checksum.
///
/// Data first, then the checksum, both created once and read back. So it does not matter where it
/// was interrupted, whether an answer was lost, or who else writes: data that is there already and
/// has exactly the tenant's next rows is taken as this segment, whatever its end and its gzip bytes
/// are, and a checksum that is there already and says the same of it counts as written. Used by one
/// thread.
final class SegmentWriter {
  private final ObjectStore store;
  private final TenantDatabases databases;
  private final Path scratch;

  /// @param scratch the directory for the segment that is being written
  SegmentWriter(ObjectStore store, TenantDatabases databases, Path scratch) {
    this.store = store;
    this.databases = databases;
    this.scratch = scratch;
  }

  /// Up to where rows are archived, and what their chain has to be there: that of the database.
  ///
  /// @param seq the last row
  /// @param chain at `seq`
  /// @param epoch of the database
  /// @param isProven whether the chain from the archive's end over the rows was seen to give
  ///   `chain`
  record Target(long seq, String chain, String epoch, boolean isProven) {}

  /// The chain from the archive's end over the rows does not give the chain of the database.
  /// Nothing was written.
  static final class OtherChainException extends Exception {
    private static final long serialVersionUID = 1;

    private OtherChainException() {
      super("the rows do not give the chain of the database");
    }
  }

  /// Writes the segment that follows.
  ///
  /// @param rows from the archive's end to the target; left behind the segment's last row
  /// @return the new end of the archive, which can be behind the target when another writer was
  ///   faster
  /// @throws AlarmException something is there that is not the tenant's next rows
  /// @throws IOException the store or the scratch directory failed: to be tried again
  ArchiveHead write(String tenant, ArchiveHead head, TenantRows rows, Target target)
      throws IOException,
          ViewException,
          AlarmException,
          ArchiveFaultException,
          ChangedException,
          OtherChainException,
          InterruptedException {
    List<StoredEvent> first = rows.peek();
    if (first == null) {
      throw new IllegalArgumentException("no rows behind seq " + head.seq());
    }
    SegmentName name = head.next(tenant, ArchiveKeys.date(first.getFirst().receivedAt()));
    Chain chain = Chain.from(head.chain());
    try (SegmentFile file = SegmentFile.create(scratch)) {
      fill(file, name.date(), rows, chain);
      long lastSeq = head.seq() + file.records();
      check(tenant, chain.hex(), lastSeq, target);
      SegmentChecksum checksum =
          new SegmentChecksum(
              tenant,
              target.epoch(),
              head.seq() + 1,
              lastSeq,
              file.records(),
              file.bytes(),
              file.sha256(),
              head.chain(),
              chain.hex(),
              head.previous());
      boolean isCreated = store.create(name.dataKey(), file.file());
      SegmentData data = SegmentData.readIfThere(store, name);
      if (data == null) {
        throw missing(name.dataKey());
      }
      boolean isSame = data.bytes() == checksum.bytes() && data.sha256().equals(checksum.sha256());
      if (!isSame && isCreated) {
        throw new AlarmException(
            name.dataKey() + " reads back other bytes than were written: the store cannot be used");
      }
      return finish(name, isSame ? checksum : adopt(name, data, checksum));
    }
  }

  private static void fill(SegmentFile file, LocalDate date, TenantRows rows, Chain chain)
      throws IOException, ViewException, AlarmException, ChangedException, InterruptedException {
    for (List<StoredEvent> next = rows.peek(); next != null; next = rows.peek()) {
      for (StoredEvent row : next) {
        if (!row.hasContent()) {
          throw new AlarmException(
              "canonical.db: of seq "
                  + row.seq()
                  + " only the digest is there, since it came from a snapshot: serve with the"
                  + " object store that it was restored from, or one that 'restore --copy-to' has"
                  + " filled");
        }
      }
      if (!ArchiveKeys.date(next.getFirst().receivedAt()).equals(date) || !file.add(next)) {
        break;
      }
      rows.add(chain, next);
      rows.take();
    }
    file.finish();
  }

  /// Before a row leaves, all rows up to the target have to give its chain. Those of this segment
  /// gave `chain`.
  private void check(String tenant, String chain, long lastSeq, Target target)
      throws ViewException,
          AlarmException,
          ChangedException,
          OtherChainException,
          InterruptedException {
    Chain rest = Chain.from(chain);
    if (lastSeq < target.seq()) {
      if (target.isProven()) {
        return;
      }
      new TenantRows(databases, tenant, lastSeq + 1, target.seq()).addTo(rest);
    }
    if (!rest.hex().equals(target.chain())) {
      throw new OtherChainException();
    }
  }

  /// The checksum of data that somebody else wrote, or this hub in another try.
  ///
  /// @param planned the checksum of what was to be written
  private SegmentChecksum adopt(SegmentName name, SegmentData data, SegmentChecksum planned)
      throws ViewException,
          AlarmException,
          ArchiveFaultException,
          ChangedException,
          InterruptedException {
    String tenant = name.tenant();
    long lines = 0;
    try (SegmentLines packed = data.lines()) {
      while (packed.next() != null) {
        lines++;
      }
    }
    long lastSeq = planned.firstSeq() + lines - 1;
    long applied = databases.read(tenant, reader -> reader.state().seq());
    if (lines == 0 || lastSeq > applied) {
      throw foreign(name, "it ends at seq " + lastSeq + ", and the tenant at seq " + applied);
    }
    Chain chain = Chain.from(planned.chainBefore());
    // All rows up to the tenant's end, so that a transaction that the data tears shows.
    TenantRows rows = new TenantRows(databases, tenant, planned.firstSeq(), applied);
    Comparison comparison = new Comparison(name, rows, chain);
    try (SegmentLines packed = data.lines()) {
      for (byte[] line = packed.next(); line != null; line = packed.next()) {
        comparison.accept(line);
      }
    }
    comparison.end();
    return new SegmentChecksum(
        tenant,
        planned.epoch(),
        planned.firstSeq(),
        lastSeq,
        lines,
        data.bytes(),
        data.sha256(),
        planned.chainBefore(),
        chain.hex(),
        planned.previous());
  }

  /// Compares lines with the rows that they have to be.
  private static final class Comparison {
    private final SegmentName name;
    private final TenantRows rows;
    private final Chain chain;
    private final ArchiveLine lines = new ArchiveLine(new PipelineNames());
    private List<StoredEvent> transaction = List.of();
    private int at;

    private Comparison(SegmentName name, TenantRows rows, Chain chain) {
      this.name = name;
      this.rows = rows;
      this.chain = chain;
    }

    private void accept(byte[] found)
        throws ViewException, AlarmException, ChangedException, InterruptedException {
      if (at == transaction.size()) {
        List<StoredEvent> next = rows.peek();
        rows.take();
        transaction = next == null ? List.of() : next;
        rows.add(chain, transaction);
        at = 0;
      }
      if (at == transaction.size()) {
        throw foreign(name, "it has more rows than the tenant");
      }
      StoredEvent row = transaction.get(at++);
      if (!lines.isLine(row, found)) {
        throw foreign(name, "it has something else as seq " + row.seq());
      }
      if (!ArchiveKeys.date(row.receivedAt()).equals(name.date())) {
        throw foreign(name, "it has seq " + row.seq() + " of another day");
      }
    }

    private void end() throws AlarmException {
      if (at != transaction.size()) {
        throw foreign(name, "it ends in the middle of a transaction");
      }
    }
  }

  private static AlarmException foreign(SegmentName name, String what) {
    return new AlarmException(
        name.dataKey()
            + " is there, and is not the tenant's next rows: "
            + what
            + ". Find out who wrote it; nothing was deleted");
  }

  private ArchiveHead finish(SegmentName name, SegmentChecksum checksum)
      throws IOException, AlarmException, ArchiveFaultException, InterruptedException {
    String key = name.checksumKey();
    byte[] text = checksum.encode();
    boolean isCreated = store.create(key, text);
    byte @Nullable [] stored = Contents.readIfThere(store, key, SegmentChecksum.MAX_BYTES);
    if (stored == null) {
      throw missing(key);
    }
    SegmentChecksum found = checksum;
    if (!Arrays.equals(stored, text)) {
      found = SegmentChecksum.decode(key, stored);
      if (isCreated || !checksum.describesSame(found)) {
        throw new AlarmException(
            key
                + (isCreated
                    ? " reads back other bytes than were written: the store cannot be used"
                    : " is there, and describes other rows than the tenant's next ones. Find out"
                        + " who wrote it; nothing was deleted"));
      }
    }
    return new ArchiveHead(
        found.lastSeq(), found.chainAfter(), SegmentChecksum.digest(stored), name, found);
  }

  private ObjectStoreException missing(String key) {
    return new ObjectStoreException(
        Kind.UNAVAILABLE,
        store.url() + ": " + key + " cannot be read back, although it was created or exists",
        null);
  }
}
