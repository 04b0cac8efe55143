package com.datanadhi.hub.view;

import java.nio.file.Path;

/// The databases of all tenants, below `DIR/tenants/<2 hex>/<tenant>/`. The 2 hex digits are the
/// first of SHA-256 of the name. Keeps at most a number of files open, and closes the least
/// recently used. Thread-safe; one tenant has one writer at a time.
public final class TenantDatabases implements AutoCloseable {
  /// @param tenants `DIR/tenants`
  /// @param maxFiles open database files in all
  public TenantDatabases(Path tenants, int maxFiles) {
    throw new UnsupportedOperationException();
  }

  /// Work on a consistent view.
  @FunctionalInterface
  public interface Reading<T> {
    T run(TenantReader reader) throws InterruptedException;
  }

  /// Runs `work` on the tenant's databases, which are created when they are missing.
  public <T> T read(String tenant, Reading<T> work) throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Whether the tenant has a canonical.db.
  public boolean exists(String tenant) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
