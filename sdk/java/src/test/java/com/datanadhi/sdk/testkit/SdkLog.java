package com.datanadhi.sdk.testkit;

import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Gives what the SDK logs to a test, until it is closed. */
public final class SdkLog extends Handler implements AutoCloseable {
  /** A logger without another reference can be collected with its handlers. */
  private final Logger logger = Logger.getLogger("com.datanadhi.sdk");

  private final Consumer<LogRecord> to;

  /**
   * Begins.
   *
   * @param to is called by one thread at a time
   */
  public SdkLog(Consumer<LogRecord> to) {
    this.to = to;
    logger.addHandler(this);
  }

  @Override
  public synchronized void publish(LogRecord message) {
    to.accept(message);
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    logger.removeHandler(this);
  }
}
