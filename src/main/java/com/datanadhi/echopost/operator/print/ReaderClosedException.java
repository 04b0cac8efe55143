package com.datanadhi.echopost.operator.print;

import java.io.IOException;

/// The reader of standard output has closed it, as `head` does: the rest of the output is not
/// wanted.
public final class ReaderClosedException extends IOException {
  private static final long serialVersionUID = 1;

  ReaderClosedException() {
    super("the reader of standard output has closed it");
  }
}
