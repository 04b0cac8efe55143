package com.datanadhi.hub.control;

/// The `control` stream cannot be read to its end, or does not belong to the databases of the
/// directory. The message says what to do.
public final class ControlDamagedException extends Exception {
  private static final long serialVersionUID = 1;

  public ControlDamagedException(String message) {
    super(message);
  }
}
