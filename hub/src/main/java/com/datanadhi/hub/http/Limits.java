package com.datanadhi.hub.http;

/// The limits of the contract, in bytes unless said otherwise.
final class Limits {
  static final int HEAD = 64 * 1024;
  static final int BODY = 9 * 1024 * 1024;
  static final int LOG_DATA = 4 * 1024 * 1024;
  static final int PIPELINES = 4 * 1024 * 1024;
  static final int BATCH = 4 * 1024 * 1024;
  static final int BATCH_LINES = 1_000;
  static final int TRANSACTION_RECORDS = 1_000;
  static final int UPLOAD_LINES = 100;
  static final int PAGE = 256 * 1024;
  static final int MAX_LIMIT = 10_000;
  static final int DEFAULT_LIMIT = 1_000;

  /// The largest number in a request: 18 digits.
  static final long MAX_NUMBER = 999_999_999_999_999_999L;

  private Limits() {}
}
