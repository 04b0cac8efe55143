package com.datanadhi.hub.view;

/// What records of `_control` change in its further tables.
public interface ControlChanges {
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
