package com.datanadhi.hub.intake;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The keys (and kept conflicts) of one tenant whose log records are not applied yet, in at most
/// 100 bytes each: an index with open addressing over densely packed entries. An entry is found by
/// 128 bits of a SHA-256 over the key. Entry numbers are valid until the next removal. Not
/// thread-safe.
///
/// An entry's place is its log record's offset; as long as that is not known, it is negative and
/// names the append (see [Pending]).
final class KeyTail {
  private static final int FIELDS = 9;
  private static final int ID_HIGH = 0;
  private static final int ID_LOW = 1;
  private static final int DIGEST = 2;
  private static final int PIPELINES = 6;
  private static final int PLACE = 7;
  private static final int SIZES = 8;

  private static final int CHUNK_SHIFT = 5;
  private static final int CHUNK = 1 << CHUNK_SHIFT;
  private static final int MIN_SLOTS = 16;
  private static final int BYTES_BITS = 32;
  private static final int RECORDS_BITS = 16;

  /// Entry numbers + 1; 0 is empty. The length is a power of two.
  private int[] slots = new int[MIN_SLOTS];

  private long[][] chunks = new long[1][];
  private int size;
  private final List<String> durabilities = new ArrayList<>();

  int size() {
    return size;
  }

  /// The entry with this id, or -1.
  int find(long idHigh, long idLow) {
    int slot = slotOf(idHigh, idLow);
    return slots[slot] - 1;
  }

  /// Adds an entry that is not there yet.
  int add(
      long idHigh,
      long idLow,
      Fingerprint content,
      long place,
      int records,
      int bytes,
      String durability) {
    if ((size + 1) * 4L > slots.length * 3L) {
      resize(slots.length * 2);
    }
    int entry = size++;
    int chunk = entry >>> CHUNK_SHIFT;
    if (chunk == chunks.length) {
      chunks = Arrays.copyOf(chunks, chunks.length * 2);
    }
    if (chunks[chunk] == null) {
      chunks[chunk] = new long[CHUNK * FIELDS];
    }
    set(entry, ID_HIGH, idHigh);
    set(entry, ID_LOW, idLow);
    set(entry, DIGEST, content.d0());
    set(entry, DIGEST + 1, content.d1());
    set(entry, DIGEST + 2, content.d2());
    set(entry, DIGEST + 3, content.d3());
    set(entry, PIPELINES, content.pipelines());
    set(entry, PLACE, place);
    set(
        entry,
        SIZES,
        (long) code(durability) << (BYTES_BITS + RECORDS_BITS)
            | (long) records << BYTES_BITS
            | bytes);
    slots[slotOf(idHigh, idLow)] = entry + 1;
    return entry;
  }

  /// Removes the entry. The last entry takes its number.
  void remove(int entry) {
    free(slotOf(get(entry, ID_HIGH), get(entry, ID_LOW)));
    int last = --size;
    if (entry != last) {
      int slot = slotOf(get(last, ID_HIGH), get(last, ID_LOW));
      System.arraycopy(
          chunks[last >>> CHUNK_SHIFT],
          (last & (CHUNK - 1)) * FIELDS,
          chunks[entry >>> CHUNK_SHIFT],
          (entry & (CHUNK - 1)) * FIELDS,
          FIELDS);
      slots[slot] = entry + 1;
    }
    // One chunk is kept in reserve, so that a size that goes up and down does not allocate.
    int spare = (size >>> CHUNK_SHIFT) + 2;
    if (spare < chunks.length && chunks[spare] != null) {
      chunks[spare] = null;
    }
    if (slots.length > MIN_SLOTS && size < slots.length / 8) {
      resize(slots.length / 2);
    }
  }

  Fingerprint content(int entry) {
    return new Fingerprint(
        get(entry, DIGEST),
        get(entry, DIGEST + 1),
        get(entry, DIGEST + 2),
        get(entry, DIGEST + 3),
        get(entry, PIPELINES));
  }

  long place(int entry) {
    return get(entry, PLACE);
  }

  void place(int entry, long place) {
    set(entry, PLACE, place);
  }

  int records(int entry) {
    return (int) (get(entry, SIZES) >>> BYTES_BITS) & ((1 << RECORDS_BITS) - 1);
  }

  int bytes(int entry) {
    return (int) get(entry, SIZES);
  }

  String durability(int entry) {
    return durabilities.get((int) (get(entry, SIZES) >>> (BYTES_BITS + RECORDS_BITS)));
  }

  private int code(String durability) {
    int code = durabilities.indexOf(durability);
    if (code < 0) {
      code = durabilities.size();
      durabilities.add(durability);
    }
    return code;
  }

  private int slotOf(long idHigh, long idLow) {
    int mask = slots.length - 1;
    int slot = (int) idLow & mask;
    while (slots[slot] != 0) {
      int entry = slots[slot] - 1;
      if (get(entry, ID_LOW) == idLow && get(entry, ID_HIGH) == idHigh) {
        break;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /// Empties the slot and moves up those behind it that would not be found any more.
  private void free(int slot) {
    int mask = slots.length - 1;
    int hole = slot;
    int next = (hole + 1) & mask;
    while (slots[next] != 0) {
      int home = (int) get(slots[next] - 1, ID_LOW) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = slots[next];
        hole = next;
      }
      next = (next + 1) & mask;
    }
    slots[hole] = 0;
  }

  private void resize(int length) {
    slots = new int[length];
    for (int entry = 0; entry < size; entry++) {
      slots[slotOf(get(entry, ID_HIGH), get(entry, ID_LOW))] = entry + 1;
    }
    int needed = Math.max(1, Integer.highestOneBit((size >>> CHUNK_SHIFT) + 2) * 2);
    if (chunks.length > needed * 2) {
      chunks = Arrays.copyOf(chunks, needed);
    }
  }

  private long get(int entry, int field) {
    return chunks[entry >>> CHUNK_SHIFT][(entry & (CHUNK - 1)) * FIELDS + field];
  }

  private void set(int entry, int field, long value) {
    chunks[entry >>> CHUNK_SHIFT][(entry & (CHUNK - 1)) * FIELDS + field] = value;
  }
}
