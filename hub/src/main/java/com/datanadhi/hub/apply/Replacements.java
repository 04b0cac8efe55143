package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Finds which of damaged log records are in the tenants' databases or in the archive. Each record
/// of these names the log record that it came from. A log record that stored nothing, such as a
/// duplicate, is in neither. Thread-safe.
public final class Replacements {
  private static final int PAGE = 1_000;

  private final ApplyLoop loop;
  private final TenantDatabases databases;
  private final TenantBase base;

  public Replacements(ApplyLoop loop, TenantDatabases databases, TenantBase base) {
    this.loop = loop;
    this.databases = databases;
    this.base = base;
  }

  /// What was found.
  ///
  /// @param missing the log records that nothing has and that are not recorded as lost, in order
  /// @param behind the tenants of which the archive has some that their databases do not have
  public record Found(List<Loss> missing, Set<String> behind) {
    public Found {
      missing = List.copyOf(missing);
      behind = Set.copyOf(behind);
    }
  }

  /// Looks in the databases and, for those that do not have the end of the damage yet, in the
  /// archive.
  ///
  /// @throws IOException it cannot be told now
  public Found look(DamagedException damaged) throws IOException, InterruptedException {
    long first = damaged.firstOffset();
    long end = damaged.endOffset();
    BitSet there = new BitSet();
    for (Loss loss : loop.decisions().losses(damaged.stream())) {
      if (loss.first() < end && first <= loss.last()) {
        there.set(index(Math.max(loss.first(), first), first), index(loss.last() + 1, first));
      }
    }
    Set<String> behind = new TreeSet<>();
    for (String tenant : tenants()) {
      ViewState state = null;
      try {
        state = databases.exists(tenant) ? databases.read(tenant, reader -> reader.state()) : null;
        if (state != null && state.appliedOffset() >= first) {
          inDatabase(state, first, end, there);
        }
      } catch (ViewException unusable) {
        // It is parked, or is about to be. What it has cannot be told.
        state = null;
      }
      if ((state == null || state.appliedOffset() < end - 1)
          && inArchive(tenant, state, first, end, there)) {
        behind.add(tenant);
      }
    }
    return new Found(gaps(there, damaged), behind);
  }

  private Set<String> tenants() throws IOException, InterruptedException {
    Set<String> tenants = new TreeSet<>(base.tenants());
    try {
      tenants.addAll(databases.tenants());
    } catch (ViewException unlistable) {
      throw new IOException(unlistable.getMessage(), unlistable);
    }
    tenants.remove(TenantName.CONTROL);
    return tenants;
  }

  private static int index(long offset, long first) {
    return Math.toIntExact(offset - first);
  }

  /// Offsets ascend with seqs, but for those of a log before this one.
  private void inDatabase(ViewState state, long first, long end, BitSet there)
      throws ViewException, InterruptedException {
    String tenant = state.tenant();
    long low = state.firstSeq();
    long high = state.seq() + 1;
    while (low < high) {
      long middle = (low + high) >>> 1;
      List<StoredEvent> row = events(tenant, middle, 1);
      boolean isBefore =
          row.isEmpty() || loop.isFromEarlierLog(tenant, middle) || offset(row.getFirst()) < first;
      if (isBefore) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    while (low <= state.seq()) {
      List<StoredEvent> page = events(tenant, low, PAGE);
      for (StoredEvent event : page) {
        if (offset(event) >= end) {
          return;
        }
        there.set(index(offset(event), first));
      }
      if (page.isEmpty()) {
        return;
      }
      low = page.getLast().seq() + 1;
    }
  }

  private List<StoredEvent> events(String tenant, long from, int limit)
      throws ViewException, InterruptedException {
    return databases.read(
        tenant,
        reader -> {
          List<StoredEvent> page = new ArrayList<>();
          reader.events(new EventFilter(from, limit, null, null, null), page::add);
          return page;
        });
  }

  private static long offset(StoredEvent event) {
    Position position = Position.parse(event.position());
    return position == null ? -1 : position.offset();
  }

  /// @return whether it has one of them
  private boolean inArchive(
      String tenant, @Nullable ViewState state, long first, long end, BitSet there)
      throws IOException, InterruptedException {
    boolean[] found = {false};
    base.archivedOffsets(
        tenant,
        state,
        offset -> {
          if (first <= offset && offset < end) {
            there.set(index(offset, first));
            found[0] = true;
          }
          return offset < end;
        });
    return found[0];
  }

  private static List<Loss> gaps(BitSet there, DamagedException damaged) {
    List<Loss> gaps = new ArrayList<>();
    int size = index(damaged.endOffset(), damaged.firstOffset());
    for (int from = there.nextClearBit(0); from < size; ) {
      int to = there.nextSetBit(from);
      int gapEnd = to < 0 ? size : Math.min(to, size);
      gaps.add(
          new Loss(
              damaged.firstOffset() + from,
              damaged.firstOffset() + gapEnd - 1,
              String.valueOf(damaged.getMessage())));
      from = there.nextClearBit(gapEnd);
    }
    return gaps;
  }
}
