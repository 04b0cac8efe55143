package com.datanadhi.hub.control;

/// The control stream cannot take a record now. Nothing has changed, or the change may appear
/// later: try again.
public final class ControlUnavailableException extends Exception {
  private static final long serialVersionUID = 1;

  public ControlUnavailableException(String message) {
    super(message);
  }
}
