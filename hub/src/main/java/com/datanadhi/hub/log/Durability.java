package com.datanadhi.hub.log;

import java.util.Locale;

/// When an append counts.
public enum Durability {
  /// It is on stable storage.
  FSYNC,
  /// It has been written to the operating system: it survives a killed process, not a power loss.
  /// It is synced within one second.
  WAL,
  /// It is in memory. It is written and synced within one second.
  RAM;

  /// The name in flags, receipts and log records.
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
