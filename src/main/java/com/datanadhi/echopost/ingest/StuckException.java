package com.datanadhi.echopost.ingest;

/// Something that clients wait for has made no progress for so long that only a new process helps.
public final class StuckException extends Exception {
  private static final long serialVersionUID = 1L;

  StuckException(String message) {
    super(message);
  }
}
