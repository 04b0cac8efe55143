package com.datanadhi.hub.apply;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// Log records that were passed over for parked tenants, and those of them that are applied now:
/// whoever waits for them is told when the tenant comes back. Thread-safe.
final class HeldBack {
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  private final Map<String, Long> heldFrom = new HashMap<>();
  private final Map<String, List<Notice>> notices = new HashMap<>();

  /// Log records that are applied now.
  record Notice(long offset, List<String> keys, long bytes) {
    private static Notice of(List<Incoming> entries) {
      List<String> keys = new ArrayList<>();
      long bytes = 0;
      for (Incoming incoming : entries) {
        bytes += incoming.entry().payload().length;
        if (incoming.body() != null) {
          incoming.body().transactions().forEach(t -> keys.add(t.key()));
        }
      }
      return new Notice(entries.getLast().entry().offset(), keys, bytes);
    }
  }

  /// The tenant's log records from `offset` on are passed over.
  void passedOver(String tenant, long offset) {
    lock.lock();
    try {
      heldFrom.putIfAbsent(tenant, offset);
    } finally {
      lock.unlock();
    }
  }

  /// The entries are applied, through this offset.
  void applied(String tenant, List<Incoming> entries, long through) {
    lock.lock();
    try {
      Long from = heldFrom.get(tenant);
      if (from == null) {
        return;
      }
      List<Incoming> held =
          entries.stream()
              .filter(e -> e.entry().offset() >= from && e.entry().offset() <= through)
              .toList();
      if (!held.isEmpty()) {
        Notice notice = Notice.of(held);
        notices.computeIfAbsent(tenant, t -> new ArrayList<>()).add(notice);
        heldFrom.put(tenant, notice.offset() + 1);
      }
    } finally {
      lock.unlock();
    }
  }

  /// The tenant comes back: what is to be told.
  List<Notice> take(String tenant) {
    lock.lock();
    try {
      heldFrom.remove(tenant);
      List<Notice> told = notices.remove(tenant);
      return told == null ? List.of() : told;
    } finally {
      lock.unlock();
    }
  }
}
