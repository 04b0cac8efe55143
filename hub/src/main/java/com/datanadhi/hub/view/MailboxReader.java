package com.datanadhi.hub.view;

/// A consistent view of one tenant's mailbox.db. Not thread-safe; valid only within the call of
/// [TenantDatabases#readMailbox].
public interface MailboxReader {
  /// The seq up to which the items are.
  long appliedSeq();

  /// The offset in `control` up to which the cursors are, or -1.
  long controlOffset();

  /// The items of a pipeline with n > `after`, in order of n, at most `limit`, as far as mailbox.db
  /// has them.
  void items(String pipeline, long after, int limit, TenantReader.Sink<PipelineItem> sink);

  /// The first n of the pipeline that is still there (items leave with their records), or the next
  /// one if none is.
  long firstItem(String pipeline);

  /// The last n of the pipeline, or 0.
  long lastItem(String pipeline);

  /// Up to which n the consumer has read, or 0.
  long cursor(String pipeline, String consumer);
}
