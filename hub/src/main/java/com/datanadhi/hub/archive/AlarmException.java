package com.datanadhi.hub.archive;

/// A tenant's archiving cannot go on without a person: its rows or its archive are not as they have
/// to be.
final class AlarmException extends Exception {
  private static final long serialVersionUID = 1;

  AlarmException(String message) {
    super(message);
  }
}
