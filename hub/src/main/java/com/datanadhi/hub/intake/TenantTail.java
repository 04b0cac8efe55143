package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.record.SourceKey;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What intake knows of one tenant beyond its database: the keys of log records that are not
/// applied yet, and the highest stored numbers of the sources that are active. All methods, and the
/// fields, need [#lock].
///
/// The highest number of a source is at least the highest of its stored intervals: it is loaded
/// from them and rises with each key that is applied, in the same step in which that key leaves the
/// tail. So a number above it that is not in the tail was never stored.
final class TenantTail {
  private static final int MAX_SOURCES = 4_096;
  private static final int MAX_SOURCES_WHEN_SCARCE = 16;

  /// Of all tenants; about 200 bytes each.
  private static final int SOURCES_SCARCE = 100_000;

  final ReentrantLock lock = new ReentrantLock();

  private final KeyTail keys = new KeyTail();
  private final Map<Long, Pending> appends = new HashMap<>();
  private final Map<String, Long> highest = new LinkedHashMap<>(16, 0.75f, true);
  private final AtomicLong allRecords;
  private final AtomicInteger allSources;
  private long nextTicket;
  private long version;
  private long records;
  private long bytes;

  private long appliedOffset = -1;
  private long newestOffset = -1;
  private long sweepAt = -1;

  TenantTail(AtomicLong allRecords, AtomicInteger allSources) {
    this.allRecords = allRecords;
    this.allSources = allSources;
  }

  /// Changes with each step of applying: what the database said before the change may be out of
  /// date.
  long version() {
    return version;
  }

  int size() {
    return keys.size();
  }

  /// What will be stored under this id, or null.
  @Nullable Known find(KeyId id) {
    int entry = keys.find(id.high(), id.low());
    if (entry < 0) {
      return null;
    }
    long place = keys.place(entry);
    Pending pending = place < 0 ? appends.get(Pending.ticketOf(place)) : null;
    return new Known(
        keys.content(entry),
        null,
        keys.durability(entry),
        pending,
        pending == null ? place : Pending.indexOf(place));
  }

  /// The highest stored number, or null if it is not known now.
  @Nullable Long highest(String source) {
    return highest.get(source);
  }

  /// Keeps the highest stored number.
  void loaded(String source, long number) {
    if (highest.put(source, number) == null) {
      int all = allSources.incrementAndGet();
      int bound = all > SOURCES_SCARCE ? MAX_SOURCES_WHEN_SCARCE : MAX_SOURCES;
      var eldest = highest.entrySet().iterator();
      while (highest.size() > bound) {
        eldest.next();
        eldest.remove();
        allSources.decrementAndGet();
      }
    }
  }

  /// Makes room for an append.
  ///
  /// @return whether the bounds allow it
  boolean reserve(IntakeSettings.Bounds bounds, long moreRecords, long moreBytes) {
    if (records + moreRecords > bounds.tenantRecords()
        || bytes + moreBytes > bounds.tenantBytes()) {
      return false;
    }
    if (allRecords.addAndGet(moreRecords) > bounds.records()) {
      allRecords.addAndGet(-moreRecords);
      return false;
    }
    records += moreRecords;
    bytes += moreBytes;
    return true;
  }

  /// Undoes [#reserve].
  void giveBack(long fewerRecords, long fewerBytes) {
    allRecords.addAndGet(-fewerRecords);
    records -= fewerRecords;
    bytes -= fewerBytes;
  }

  /// Begins an append.
  Pending begin() {
    return new Pending(nextTicket++);
  }

  /// Adds an entry of an accepted append; its room has been reserved.
  void add(Pending pending, int index, KeyId id, Item item, int payloadBytes, String durability) {
    appends.put(pending.ticket, pending);
    pending.members.add(new Pending.Member(id, index));
    keys.add(
        id.high(),
        id.low(),
        item.fingerprint(),
        pending.place(index),
        item.records(),
        payloadBytes,
        durability);
  }

  /// Puts an append's offsets into the tail, or takes it out of the tail if it is not known what
  /// became of it: applying then decides about the next one under the same key.
  void settle(Pending pending, Append.Outcome outcome) {
    if (appends.remove(pending.ticket) == null) {
      return;
    }
    for (Pending.Member member : pending.members) {
      int entry = keys.find(member.id().high(), member.id().low());
      if (entry < 0 || keys.place(entry) != pending.place(member.index())) {
        continue; // applied before
      }
      switch (outcome) {
        case Append.Stored stored -> {
          long offset = stored.firstOffset() + member.index();
          newestOffset = Math.max(newestOffset, offset);
          if (offset <= appliedOffset) {
            remove(entry);
          } else {
            keys.place(entry, offset);
          }
        }
        case Append.Unknown _ -> remove(entry);
      }
    }
  }

  /// Adds an entry of a log record that was appended by an earlier process.
  void restore(
      KeyId id, Fingerprint content, long offset, int itsRecords, int itsBytes, String durability) {
    // The first log record under a key is the one that applying stores.
    if (offset <= appliedOffset || keys.find(id.high(), id.low()) >= 0) {
      return;
    }
    keys.add(id.high(), id.low(), content, offset, itsRecords, itsBytes, durability);
    newestOffset = Math.max(newestOffset, offset);
    allRecords.addAndGet(itsRecords);
    records += itsRecords;
    bytes += itsBytes;
  }

  /// Takes out what is applied.
  ///
  /// @param offset up to which log records are applied
  /// @param ids of `applied`, in the same order
  void applied(long offset, List<String> applied, List<KeyId> ids) {
    version++;
    appliedOffset = Math.max(appliedOffset, offset);
    for (int i = 0; i < ids.size(); i++) {
      int entry = keys.find(ids.get(i).high(), ids.get(i).low());
      if (entry >= 0 && keys.place(entry) <= offset) {
        remove(entry);
      }
      SourceKey source = highest.isEmpty() ? null : SourceKey.parse(applied.get(i));
      if (source != null) {
        highest.computeIfPresent(source.source(), (_, known) -> Math.max(known, source.number()));
      }
    }
    // Conflicts have ids of their own, and log records that were passed over name no keys. They are
    // found by their offsets, once for each time that the tail has been applied from end to end.
    if (offset >= sweepAt) {
      for (int entry = keys.size() - 1; entry >= 0; entry--) {
        long place = keys.place(entry);
        if (place >= 0 && place <= offset) {
          remove(entry);
        }
      }
      sweepAt = newestOffset;
    }
  }

  private void remove(int entry) {
    giveBack(keys.records(entry), keys.bytes(entry));
    keys.remove(entry);
  }
}
