package com.datanadhi.hub.view;

/// The tables of one open database, as the transactions on its connection need them.
interface Tables {
  /// A transaction begins.
  void began();

  /// Writes what is only in memory yet, before the commit.
  void flush();

  void committed();

  void rolledBack();
}
