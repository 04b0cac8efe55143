package com.datanadhi.hub.view;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/// A database file in the pool with its connections. Guarded by the pool's lock.
final class OpenDatabase {
  final DatabaseId id;
  final Path file;

  /// Signalled when a connection was given back or `exclusive` ended.
  final Condition changed;

  private final Deque<Handle> readers = new ArrayDeque<>();
  private @Nullable Handle writer;

  /// Those that use it or wait for it.
  int users;

  /// Open connections, and the one that is being opened.
  int connections;

  int reading;
  boolean writing;
  boolean opening;

  /// Somebody closes all connections, and gives no lease until that is done.
  boolean exclusive;

  OpenDatabase(DatabaseId id, Path file, Condition changed) {
    this.id = id;
    this.file = file;
    this.changed = changed;
  }

  boolean leased() {
    return reading > 0 || writing;
  }

  void lease(boolean write) {
    if (write) {
      writing = true;
    } else {
      reading++;
    }
  }

  void release(boolean write) {
    if (write) {
      writing = false;
    } else {
      reading--;
    }
  }

  /// An idle connection, or null.
  @Nullable Handle take(boolean write) {
    if (!write) {
      return readers.pollLast();
    }
    Handle taken = writer;
    writer = null;
    return taken;
  }

  void put(Handle handle, boolean write) {
    if (write) {
      writer = handle;
    } else {
      readers.addLast(handle);
    }
  }

  /// All idle connections.
  List<Handle> takeAll() {
    List<Handle> all = new ArrayList<>(readers);
    readers.clear();
    if (writer != null) {
      all.add(writer);
      writer = null;
    }
    return all;
  }
}
