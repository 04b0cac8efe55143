package com.datanadhi.hub.snapshot;

/// A manifest cannot be used. The message begins with its key.
public final class InvalidManifestException extends InvalidSnapshotException {
  private static final long serialVersionUID = 1;

  public InvalidManifestException(String key, String reason) {
    super(key + ": " + reason);
  }
}
