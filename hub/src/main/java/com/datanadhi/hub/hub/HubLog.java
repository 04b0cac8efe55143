package com.datanadhi.hub.hub;

import com.datanadhi.logging.JsonFormatter;
import com.datanadhi.logging.StdoutHandler;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;

/// The log of a running hub: JSON objects, one a line, on standard output. It never blocks the hub:
/// lines that nobody reads are dropped.
final class HubLog implements AutoCloseable {
  private static final int WAITING_LINES = 10_000;

  // The logging system keeps levels only of loggers that somebody holds.
  private final Logger root = Logger.getLogger("");
  private final Logger own = Logger.getLogger("com.datanadhi.hub");
  private final StdoutHandler stdout;

  private HubLog(StdoutHandler stdout) {
    this.stdout = stdout;
  }

  /// Replaces the configuration of java.util.logging.
  static HubLog open() {
    LogManager.getLogManager().reset();
    HubLog log =
        new HubLog(
            new StdoutHandler(
                new FileOutputStream(FileDescriptor.out), new JsonFormatter(), WAITING_LINES));
    // Below this level libraries log the mistakes of clients, which get an answer anyway.
    log.root.setLevel(Level.SEVERE);
    log.own.setLevel(Level.INFO);
    log.root.addHandler(log.stdout);
    return log;
  }

  @Override
  public void close() {
    root.removeHandler(stdout);
    stdout.close();
  }
}
