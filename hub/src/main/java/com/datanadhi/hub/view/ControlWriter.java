package com.datanadhi.hub.view;

/// Changes what the records of `_control` mean, in the same transaction as the rest of its
/// canonical.db. Not thread-safe; valid only within the call of [TenantDatabases#write].
public interface ControlWriter extends ControlReader {
  /// Inserts an API key, or replaces the one with this id.
  void putApiKey(ApiKeyRow key);

  /// Revokes an API key. Its first revocation stays.
  ///
  /// @return whether there is a key with this id
  boolean revokeApiKey(String id, long revokedAt);

  /// Inserts a skip. The first one of a log record stays.
  void putSkip(SkipRow skip);

  /// Inserts a loss. The first one that begins at an offset stays.
  void putLoss(LossRow loss);

  /// Inserts the position of a consumer, or replaces it.
  void putCursor(CursorRow cursor);

  /// Says that the log is a new one: decisions about log records of the one before mean nothing,
  /// and the cursors count as moved at `controlOffset` of the new one.
  void continueInNewLog(long controlOffset);
}
