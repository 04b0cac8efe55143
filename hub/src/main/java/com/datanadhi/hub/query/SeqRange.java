package com.datanadhi.hub.query;

/// The seqs of a transaction's records, both ends included.
public record SeqRange(long first, long last) {
  /// The value of the header `Hub-Seq`.
  public String header() {
    return first == last ? Long.toString(first) : first + "-" + last;
  }
}
