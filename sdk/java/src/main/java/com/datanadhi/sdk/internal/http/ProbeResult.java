package com.datanadhi.sdk.internal.http;

/** What the answer to a probe says about a server. */
enum ProbeResult {
  /** The server is ready to receive records. */
  HEALTHY,
  /**
   * The server answers, but has nothing at this address: it may well receive records. Only a
   * delivery can tell.
   */
  UNKNOWN,
  /** The server cannot receive records now. */
  UNAVAILABLE;

  static ProbeResult of(int status) {
    if (status == 500) {
      return UNAVAILABLE;
    }
    return switch (StatusMeaning.of(status)) {
      case DELIVERED -> HEALTHY;
      case FINAL, DOUBTFUL -> UNKNOWN;
      case UNAVAILABLE -> UNAVAILABLE;
    };
  }
}
