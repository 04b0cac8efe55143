package com.datanadhi.hub.control;

import com.datanadhi.hub.view.ViewException;

/// The positions of consumers in pipelines: log records in `control`. Thread-safe.
public interface Cursors {
  /// Moves the cursor, durably, before it returns. A smaller `through` than before moves it back.
  ///
  /// @throws ControlUnavailableException the log cannot take it now: try again
  void move(String tenant, String pipeline, String consumer, long through)
      throws ControlUnavailableException, InterruptedException;

  /// Up to which n the consumer has read, or 0.
  long through(String tenant, String pipeline, String consumer)
      throws ViewException, InterruptedException;
}
