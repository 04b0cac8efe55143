package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.ViewException;

/// Knows the cursors of all tenants. Thread-safe.
@FunctionalInterface
public interface MailboxCursors {
  /// Writes the cursors that a tenant's mailbox.db does not have yet into it, such as after it was
  /// rebuilt.
  void catchUp(String tenant) throws ViewException, InterruptedException;
}
