package com.datanadhi.hub.restore;

import com.datanadhi.hub.restore.Cut.Near;
import com.datanadhi.hub.view.StoredEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// The records within 5 s on both sides of a cut: how many there are, and the nearest of them. Not
/// thread-safe.
final class NearRecords {
  /// How near a record is to be.
  static final long MILLIS = 5_000;

  private final int limit;
  private final Deque<Near> before = new ArrayDeque<>();
  private final List<Near> after = new ArrayList<>();

  /// Milliseconds, and how many records before the cut were received in each.
  private final Deque<long[]> moments = new ArrayDeque<>();

  private long countBefore;
  private long countAfter;

  /// @param limit how many are kept on each side
  NearRecords(int limit) {
    this.limit = limit;
  }

  /// Adds the next record before the cut.
  ///
  /// @param earliest earlier ones are not near
  void addBefore(StoredEvent event, long earliest) {
    while (!moments.isEmpty() && moments.getFirst()[0] < earliest) {
      countBefore -= moments.removeFirst()[1];
    }
    while (!before.isEmpty() && before.getFirst().receivedAt() < earliest) {
      before.removeFirst();
    }
    if (event.receivedAt() < earliest) {
      return;
    }
    countBefore++;
    if (moments.isEmpty() || moments.getLast()[0] != event.receivedAt()) {
      moments.addLast(new long[] {event.receivedAt(), 0});
    }
    moments.getLast()[1]++;
    if (before.size() == limit) {
      before.removeFirst();
    }
    before.addLast(near(event, true));
  }

  /// Adds the next record behind the cut.
  void addAfter(StoredEvent event) {
    countAfter++;
    if (after.size() < limit) {
      after.add(near(event, false));
    }
  }

  private static Near near(StoredEvent event, boolean isRestored) {
    return new Near(event.seq(), event.key(), event.receivedAt(), isRestored);
  }

  /// Whether as many are kept behind the cut as can be.
  boolean isFull() {
    return after.size() == limit;
  }

  /// Those that are kept, in order.
  List<Near> all() {
    List<Near> all = new ArrayList<>(before);
    all.addAll(after);
    return all;
  }

  long countBefore() {
    return countBefore;
  }

  long countAfter() {
    return countAfter;
  }
}
