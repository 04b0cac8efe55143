package com.datanadhi.hub.archive;

/// A tenant's database and its archive have different records at the same seq.
final class ForkedException extends Exception {
  private static final long serialVersionUID = 1;

  private final long archiveSeq;

  /// @param archiveSeq where the archive ends
  ForkedException(long seq, long archiveSeq) {
    super("the chains at seq " + seq + " are different");
    this.archiveSeq = archiveSeq;
  }

  long archiveSeq() {
    return archiveSeq;
  }
}
