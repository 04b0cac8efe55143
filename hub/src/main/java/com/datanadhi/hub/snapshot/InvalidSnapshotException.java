package com.datanadhi.hub.snapshot;

/// A snapshot in the object store is not what it was written as. The message has a line for each
/// fault, which begins with the key of the object.
public class InvalidSnapshotException extends Exception {
  private static final long serialVersionUID = 1;

  public InvalidSnapshotException(String message) {
    super(message);
  }
}
