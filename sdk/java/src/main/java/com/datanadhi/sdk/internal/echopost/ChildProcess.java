package com.datanadhi.sdk.internal.echopost;

import java.io.IOException;

/** Starts processes. Thread-safe. */
final class ChildProcess {
  private ChildProcess() {}

  /**
   * As {@link ProcessBuilder#start}. A thread of the JDK waits for the end of the process, for an
   * agent perhaps hours after the client was closed. It would inherit the context class loader, and
   * hold that of the application: it gets none.
   */
  static Process start(ProcessBuilder builder) throws IOException {
    Thread current = Thread.currentThread();
    ClassLoader own = current.getContextClassLoader();
    current.setContextClassLoader(null);
    try {
      return builder.start();
    } finally {
      current.setContextClassLoader(own);
    }
  }
}
