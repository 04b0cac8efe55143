package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.apply.DerivedItems;
import com.datanadhi.hub.apply.DerivedRows;
import com.datanadhi.hub.apply.HistoryWalk;
import com.datanadhi.hub.apply.PositionDigest;
import com.datanadhi.hub.control.DerivedControl;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.DatabaseCopy;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Compares the databases of a snapshot with its manifest and with themselves: the chain over the
/// records with the one in the manifest, and all that follows from records with what follows: keys,
/// sources, items, and in `_control` API keys, cursors and decisions. Used once, by one thread.
final class SnapshotContents {
  private final Snapshot snapshot;
  private final Path directory;
  private final List<String> faults = new ArrayList<>();
  private @Nullable SnapshotPositions positions;

  /// @param directory has the files of the snapshot
  SnapshotContents(Snapshot snapshot, Path directory) {
    this.snapshot = snapshot;
    this.directory = directory;
  }

  /// Looks.
  ///
  /// @param names of the files that are there
  /// @return what is wrong, a line each that begins with the key of an object
  List<String> faults(Collection<String> names) throws IOException, InterruptedException {
    DatabaseCopy.@Nullable Mailbox mailbox =
        names.contains(Manifest.MAILBOX) ? look(Manifest.MAILBOX, DatabaseCopy::mailbox) : null;
    if (mailbox != null) {
      add(Manifest.MAILBOX, snapshot.manifest().differences(mailbox));
    }
    boolean isMailboxSound = mailbox != null && faults.isEmpty();
    Walk walk = new Walk(mailbox == null ? 0 : mailbox.appliedSeq());
    DatabaseCopy.@Nullable Canonical canonical =
        names.contains(Manifest.CANONICAL)
            ? look(Manifest.CANONICAL, file -> DatabaseCopy.canonical(file, walk))
            : null;
    if (canonical == null) {
      return faults;
    }
    List<String> differences = snapshot.manifest().differences(canonical);
    add(Manifest.CANONICAL, differences.isEmpty() ? walk.faults : differences);
    positions =
        new SnapshotPositions(
            snapshot, canonical.state().firstSeq(), canonical.state().seq(), walk.positions.hex());
    DerivedItems items = walk.items;
    if (isMailboxSound && differences.isEmpty() && walk.faults.isEmpty() && items != null) {
      boolean isRead = null != look(Manifest.MAILBOX, file -> read(file, items));
      add(Manifest.MAILBOX, isRead ? items.faults() : List.of());
    }
    return faults;
  }

  /// Of the records that were read by [#faults]; null if they could not be read.
  @Nullable SnapshotPositions positions() {
    return positions;
  }

  private static boolean read(Path mailbox, DerivedItems items)
      throws ViewException, InterruptedException {
    DatabaseCopy.items(
        mailbox,
        new DatabaseCopy.Items() {
          @Override
          public void add(String pipeline, long n, long seq) {
            items.addItem(pipeline, n, seq);
          }

          @Override
          public void addLast(String pipeline, long n) {
            items.addLast(pipeline, n);
          }
        });
    return true;
  }

  private void add(String name, List<String> found) {
    found.forEach(fault -> faults.add(snapshot.key(name) + ": " + fault));
  }

  @FunctionalInterface
  private interface Look<T> {
    T at(Path file) throws ViewException, InterruptedException;
  }

  /// @return null if it is damaged, which is a fault
  private <T> @Nullable T look(String name, Look<T> look) throws IOException, InterruptedException {
    try {
      return look.at(directory.resolve(name));
    } catch (ViewException failed) {
      if (failed.kind() == ViewException.Kind.UNAVAILABLE) {
        throw new IOException(failed.getMessage(), failed);
      }
      add(name, List.of(String.valueOf(failed.getMessage())));
      return null;
    }
  }

  /// Goes along the records of canonical.db.
  private static final class Walk implements DatabaseCopy.Records {
    private final long lastItemSeq;
    private final List<String> faults = new ArrayList<>();
    private final PositionDigest positions = new PositionDigest();
    private @Nullable HistoryWalk history;
    private @Nullable DerivedRows rows;
    private @Nullable DerivedItems items;
    private @Nullable DerivedControl control;
    private @Nullable TenantReader reader;

    /// @param lastItemSeq up to which mailbox.db has items
    private Walk(long lastItemSeq) {
      this.lastItemSeq = lastItemSeq;
    }

    @Override
    public void begin(TenantReader from) {
      ViewState state = from.state();
      reader = from;
      history = new HistoryWalk(state);
      rows = new DerivedRows(from);
      items = new DerivedItems(from, lastItemSeq);
      control = state.tenant().equals(TenantName.CONTROL) ? new DerivedControl() : null;
    }

    @Override
    public void add(StoredEvent event) {
      positions.add(event);
      if (history != null && rows != null && items != null) {
        history.add(event);
        rows.add(event);
        items.add(event);
      }
      if (control != null) {
        control.add(event);
      }
    }

    /// If the records themselves are wrong, what follows from them is not judged.
    @Override
    public void end() {
      if (history != null && rows != null && reader != null) {
        faults.addAll(history.faults());
        if (faults.isEmpty()) {
          faults.addAll(rows.faults());
        }
        if (faults.isEmpty() && control != null) {
          faults.addAll(control.faults(reader));
        }
      }
    }
  }
}
