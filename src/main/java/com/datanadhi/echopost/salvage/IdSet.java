package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.record.Totals;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A set of ids that were found, which yields the ranges of missing ones. One bit per id, in
/// pieces: the ids of a buffer are dense, but continue far above after each damage. Confined to one
/// thread.
final class IdSet {
  private static final int PIECE = 1 << 16;
  private static final int NAMED = 10_000;

  private final TreeMap<Long, BitSet> pieces = new TreeMap<>();

  /// The missing ids.
  ///
  /// @param ids how many
  /// @param ranges in how many ranges
  /// @param named the first 10,000 ranges, as `3-5` or `9`
  record Missing(long ids, long ranges, List<String> named) {}

  /// Adds an id.
  ///
  /// @return whether it is new in the set
  boolean add(long id) {
    BitSet piece = pieces.computeIfAbsent(id / PIECE, _ -> new BitSet());
    int bit = (int) (id % PIECE);
    boolean isNew = !piece.get(bit);
    piece.set(bit);
    return isNew;
  }

  long size() {
    return pieces.values().stream().mapToLong(BitSet::cardinality).sum();
  }

  /// The highest id, 0 when there is none.
  long last() {
    Map.Entry<Long, BitSet> last = pieces.lastEntry();
    return last == null ? 0 : last.getKey() * PIECE + last.getValue().length() - 1;
  }

  /// The ids above `after` and up to `through`, or up to the highest in the set, that are not in
  /// the set. Where ids continue above a multiple of [Totals#EPOCH], the ids between the last one
  /// and that multiple were never assigned, and are not missing.
  Missing missing(long after, long through) {
    Gaps gaps = new Gaps(after + 1);
    for (Map.Entry<Long, BitSet> piece : pieces.entrySet()) {
      BitSet bits = piece.getValue();
      for (int bit = bits.nextSetBit(0); bit >= 0; bit = bits.nextSetBit(bit + 1)) {
        gaps.before(piece.getKey() * PIECE + bit);
      }
    }
    if (through > last()) {
      gaps.before(through + 1);
    }
    return new Missing(gaps.ids, gaps.ranges, gaps.named);
  }

  private static final class Gaps {
    private long expected;
    private long ids;
    private long ranges;
    private final List<String> named = new ArrayList<>();

    Gaps(long expected) {
      this.expected = expected;
    }

    /// The next id in the set is `id`.
    void before(long id) {
      long first = Math.max(expected, Totals.epochOf(id) + 1);
      if (id > first) {
        ids += id - first;
        ranges++;
        if (named.size() < NAMED) {
          named.add(id - 1 == first ? Long.toString(first) : first + "-" + (id - 1));
        }
      }
      expected = Math.max(expected, id + 1);
    }
  }
}
