package com.datanadhi.hub.view;

import java.util.List;
import java.util.Map;

/// One transaction on a tenant's mailbox.db. Not thread-safe; valid only within the call of
/// [TenantDatabases#writeMailbox].
public interface MailboxWriter extends MailboxReader {
  /// Adds an item to each of the pipelines of the record `seq`, with the next n of each. A pipeline
  /// that a record names twice gets one item.
  void addItems(long seq, List<String> pipelines);

  /// Says that numbers were given to records that have left: the next n of each pipeline is above.
  void skipItems(Map<String, Long> left);

  /// Sets [MailboxReader#appliedSeq].
  void setAppliedSeq(long seq);

  /// Moves a cursor and sets [MailboxReader#controlOffset].
  void moveCursor(
      String pipeline, String consumer, long through, long updatedAt, long controlOffset);

  /// Says that the log is a new one, of which nothing is read yet: sets
  /// [MailboxReader#controlOffset] to -1.
  void continueInNewLog();

  /// Removes the items of records before `seq`; the last n of each pipeline is remembered.
  void deleteItemsBefore(long seq);
}
