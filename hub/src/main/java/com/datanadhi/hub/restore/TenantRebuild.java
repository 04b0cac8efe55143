package com.datanadhi.hub.restore;

import com.datanadhi.hub.apply.Replay;
import com.datanadhi.hub.apply.TenantBase;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.restore.Continuations.Continuation;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Makes a parked tenant's databases from its newest snapshot and, where the log does not reach
/// back to that, the archive behind it; and finds there what a damaged log cannot give. One thread
/// at a time brings tenants back; the others only look.
public final class TenantRebuild implements TenantBase {
  private static final int MAX_FILES = 12;

  private final Restorer restorer;
  private final TenantDatabases databases;
  private final Path scratch;
  private final Predicate<String> isEpochOfLog;
  private final OldCopies oldCopies;
  private final Continuations continuations;

  /// @param scratch a directory of its own on the file system of the databases, made and deleted
  /// @param isEpochOfLog whether an epoch is one of the log's
  /// @param oldCopies the tenants whose archive has more than this log
  public TenantRebuild(
      Restorer restorer,
      TenantDatabases databases,
      Path scratch,
      Predicate<String> isEpochOfLog,
      OldCopies oldCopies,
      Continuations continuations) {
    this.restorer = restorer;
    this.databases = databases;
    this.scratch = scratch;
    this.isEpochOfLog = isEpochOfLog;
    this.oldCopies = oldCopies;
    this.continuations = continuations;
  }

  @Override
  public boolean isNeeded(String tenant) {
    return continuations.get(tenant) != null || oldCopies.part(tenant) != null;
  }

  @Override
  public @Nullable Base putInPlace(String tenant, long logStart)
      throws IOException, ViewException, InterruptedException {
    Scratch.delete(scratch);
    try {
      boolean hasCounts;
      Path made;
      try (TenantDatabases built =
          TenantDatabases.unfinished(scratch.resolve("tenants"), MAX_FILES)) {
        made = built.directory(tenant);
        Cut snapshot = restorer.newestSnapshot(built, tenant);
        hasCounts = snapshot != null && reaches(built, tenant, logStart);
        if (!hasCounts && !takeArchive(built, tenant)) {
          return null;
        }
        built.check(tenant);
        built.checkpoint(tenant);
      } catch (RestoreException fault) {
        throw new IOException(fault.getMessage(), fault);
      }
      databases.putInPlace(tenant, made);
      oldCopies.caughtUp(tenant);
      Events.info("tenant_restored_for_rebuild", "tenant", tenant, "with_archive", !hasCounts);
      return new Base(hasCounts);
    } finally {
      Scratch.delete(scratch);
    }
  }

  @Override
  public boolean takeBefore(String tenant, long end)
      throws IOException, ViewException, InterruptedException {
    try {
      Cut cut = restorer.continueTo(databases, tenant, new Target.Before(end));
      // The next one tells that none is missing between.
      return cut.archiveSeq() > cut.seq() || takeSnapshotBehind(tenant, cut.seq(), end);
    } catch (RestoreException | Replay.GapException fault) {
      // There is a gap if somebody deletes the database meanwhile.
      throw new IOException(fault.getMessage(), fault);
    }
  }

  private boolean takeSnapshotBehind(String tenant, long seq, long end)
      throws RestoreException, IOException, ViewException, InterruptedException {
    List<Snapshot> kept = restorer.snapshots(tenant);
    if (kept.isEmpty()
        || kept.getLast().manifest().seq() < seq
        || kept.getLast().manifest().offset() + 1 < end) {
      return false;
    }
    Scratch.delete(scratch);
    try {
      Path made;
      try (TenantDatabases built =
          TenantDatabases.unfinished(scratch.resolve("tenants"), MAX_FILES)) {
        made = built.directory(tenant);
        if (restorer.newestSnapshot(built, tenant) == null || !reaches(built, tenant, end)) {
          return false;
        }
        built.check(tenant);
        built.checkpoint(tenant);
      }
      databases.putInPlace(tenant, made);
      Events.info("tenant_restored_for_rebuild", "tenant", tenant, "with_archive", false);
      return true;
    } finally {
      Scratch.delete(scratch);
    }
  }

  @Override
  public Set<String> tenants() throws IOException, InterruptedException {
    return restorer.archivedTenants();
  }

  @Override
  public void archivedOffsets(String tenant, @Nullable ViewState has, OffsetSink sink)
      throws IOException, InterruptedException {
    Continuation from = continuations.get(tenant);
    long before = from == null ? 0 : from.seq();
    try {
      restorer.readArchive(
          tenant,
          has,
          event -> {
            Position position = Position.parse(event.position());
            return event.seq() <= before || position == null || sink.accept(position.offset());
          });
    } catch (RestoreException fault) {
      Events.warning("archive_not_read", "tenant", tenant, "reason", fault.getMessage());
    }
  }

  /// Whether the log has all that comes behind the snapshot.
  private boolean reaches(TenantDatabases built, String tenant, long logStart)
      throws ViewException, InterruptedException {
    if (oldCopies.part(tenant) != null) {
      return false;
    }
    ViewState state = built.read(tenant, reader -> reader.state());
    Continuation from = continuations.get(tenant);
    return state.epoch() != null
        && isEpochOfLog.test(state.epoch())
        && (from == null || state.seq() > from.seq())
        && state.appliedOffset() + 1 >= logStart;
  }

  /// @return whether there is anything
  private boolean takeArchive(TenantDatabases built, String tenant)
      throws RestoreException, IOException, ViewException, InterruptedException {
    OldCopies.Part part = oldCopies.part(tenant);
    if (part != null) {
      Cut cut = restorer.continueTo(built, tenant, new Target.End());
      ViewState state = built.read(tenant, reader -> reader.state());
      Continuation here = new Continuation(cut.seq(), state.chain(), part.epoch(), part.end() - 1);
      continuations.put(Map.of(tenant, here));
      continueInLog(built, tenant, here);
      return true;
    }
    Continuation from = continuations.get(tenant);
    if (from != null) {
      bringTo(built, tenant, from);
    }
    return restorer.continueTo(built, tenant, new Target.End()).seq() > 0;
  }

  /// Brings a history from before this log to where it goes on in it.
  private void bringTo(TenantDatabases built, String tenant, Continuation from)
      throws RestoreException, ObjectStoreException, ViewException, InterruptedException {
    boolean isBehind =
        built.exists(tenant) && built.read(tenant, reader -> reader.state()).seq() > from.seq();
    if (isBehind) {
      return;
    }
    if (from.seq() > 0) {
      Cut _ = restorer.continueTo(built, tenant, new Target.Seq(from.seq()));
    }
    // Of a history without a record there is no database yet.
    ViewState state = built.write(tenant, writer -> writer.state());
    if (!from.isEndOf(state)) {
      throw new RestoreException(
          "tenant "
              + tenant
              + " continued in this log from seq "
              + from.seq()
              + ", and the object store has another history to seq "
              + state.seq());
    }
    continueInLog(built, tenant, from);
  }

  private static void continueInLog(TenantDatabases built, String tenant, Continuation from)
      throws ViewException, InterruptedException {
    long _ =
        built.write(
            tenant,
            writer -> {
              writer.saveState(from.inLog(writer.state()));
              return from.seq();
            });
    long _ =
        built.writeMailbox(
            tenant,
            mailbox -> {
              mailbox.continueInNewLog();
              return from.seq();
            });
  }
}
