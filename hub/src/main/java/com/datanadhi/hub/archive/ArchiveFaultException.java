package com.datanadhi.hub.archive;

/// Something in the archive is not as the hub wrote it: it was changed, or a part is missing.
public final class ArchiveFaultException extends Exception {
  private static final long serialVersionUID = 1;

  private final String object;
  private final String fault;

  /// @param object the key of the object, or the folder
  /// @param fault what is wrong with it, as the end of a sentence
  public ArchiveFaultException(String object, String fault) {
    super(object + ": " + fault);
    this.object = object;
    this.fault = fault;
  }

  /// The key of the object, or the folder.
  public String object() {
    return object;
  }

  /// What is wrong with it.
  public String fault() {
    return fault;
  }
}
