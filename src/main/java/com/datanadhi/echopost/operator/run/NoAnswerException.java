package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.record.StorageException;

/// A process owns the directory but does not answer in time.
public final class NoAnswerException extends StorageException {
  private static final long serialVersionUID = 1;

  private static final String CAUSES =
      ": it is suspended (by SIGSTOP, or in a paused container) or overloaded";

  NoAnswerException(String what) {
    super(what + CAUSES);
  }
}
