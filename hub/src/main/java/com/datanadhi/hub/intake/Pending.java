package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.Append;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An append that the tail refers to until its offsets are known. Each of its entries has a place,
/// which is negative, so it cannot be taken for an offset.
final class Pending {
  private static final int INDEX_BITS = 10;

  final long ticket;
  final List<Member> members = new ArrayList<>();

  /// Set before others can see this object.
  Append.@Nullable Accepted accepted;

  /// Set once.
  volatile Append.@Nullable Outcome outcome;

  Pending(long ticket) {
    this.ticket = ticket;
  }

  /// @param index of the log record within the append, less than 1,024
  long place(int index) {
    return ~(ticket << INDEX_BITS | index);
  }

  static long ticketOf(long place) {
    return ~place >>> INDEX_BITS;
  }

  static int indexOf(long place) {
    return (int) (~place & ((1 << INDEX_BITS) - 1));
  }

  /// An entry of the tail.
  ///
  /// @param index of its log record within the append
  record Member(KeyId id, int index) {}
}
