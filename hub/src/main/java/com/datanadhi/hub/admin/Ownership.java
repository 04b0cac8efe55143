package com.datanadhi.hub.admin;

import java.io.IOException;

/// That this process owns the data directory, which nobody else may change.
@FunctionalInterface
public interface Ownership {
  /// Makes sure that no other process can take the directory, although somebody may have deleted
  /// the file of its lock. If another one has taken it, this process ends at once.
  ///
  /// @throws IOException the file cannot be made again now
  void keep() throws IOException;
}
