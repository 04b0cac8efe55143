package com.datanadhi.hub.view;

import java.nio.file.Path;
import java.util.List;

/// The databases of all tenants, below `DIR/tenants/<2 hex>/<tenant>/`. The 2 hex digits are the
/// first of SHA-256 of the name. Keeps at most a number of files open, and closes the least
/// recently used. Thread-safe; one tenant has one writer at a time.
public final class TenantDatabases implements AutoCloseable {
  /// @param tenants `DIR/tenants`
  /// @param maxFiles open database files in all
  public TenantDatabases(Path tenants, int maxFiles) {
    throw new UnsupportedOperationException();
  }

  /// Work on a consistent view of canonical.db.
  @FunctionalInterface
  public interface Reading<T> {
    /// Does it.
    T run(TenantReader reader) throws InterruptedException;
  }

  /// Work in one transaction on canonical.db.
  @FunctionalInterface
  public interface Writing<T> {
    /// Does it; the transaction is committed when it returns and rolled back when it throws.
    T run(TenantWriter writer) throws InterruptedException;
  }

  /// Work on a consistent view of mailbox.db.
  @FunctionalInterface
  public interface MailboxReading<T> {
    /// Does it.
    T run(MailboxReader reader) throws InterruptedException;
  }

  /// Work in one transaction on mailbox.db.
  @FunctionalInterface
  public interface MailboxWriting<T> {
    /// Does it; the transaction is committed when it returns and rolled back when it throws.
    T run(MailboxWriter writer) throws InterruptedException;
  }

  /// Runs `work` on a snapshot of canonical.db, which is created when it is missing. Many at the
  /// same time.
  public <T> T read(String tenant, Reading<T> work) throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Runs `work` in one transaction of canonical.db, which is created when it is missing. After a
  /// commit a process can be killed without loss; after a power loss the newest commits can be
  /// missing ([#checkpoint] ends that).
  public <T> T write(String tenant, Writing<T> work) throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  public <T> T readMailbox(String tenant, MailboxReading<T> work)
      throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  public <T> T writeMailbox(String tenant, MailboxWriting<T> work)
      throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Makes everything that is committed in both databases of the tenant durable: checkpoints them
  /// and syncs the files.
  public void checkpoint(String tenant) throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Closes the tenant's databases and renames their files, for a rebuild from nothing.
  ///
  /// @return the new name of canonical.db
  public Path setAside(String tenant) throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Whether the tenant has a canonical.db.
  public boolean exists(String tenant) {
    throw new UnsupportedOperationException();
  }

  /// The tenants that have a directory, `_control` included, in any order.
  public List<String> tenants() throws ViewException {
    throw new UnsupportedOperationException();
  }

  /// How many database files are open.
  public int openFiles() {
    throw new UnsupportedOperationException();
  }

  /// Checkpoints and closes everything.
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
