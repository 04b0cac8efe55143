package com.datanadhi.sdk.internal.http;

/**
 * What a status of the main server means for the records of a request. EchoPost has the same table.
 */
enum StatusMeaning {
  /** The server acknowledged the records. */
  DELIVERED,
  /** The server will never accept this. */
  FINAL,
  /** The records or the server are to blame: it may be a server that is not quite back. */
  DOUBTFUL,
  /** The server cannot accept anything now. */
  UNAVAILABLE;

  static StatusMeaning of(int status) {
    return switch (status) {
      case 401, 403, 404, 405, 500 -> DOUBTFUL;
      case 407, 408, 425, 429 -> UNAVAILABLE;
      default ->
          switch (status / 100) {
            case 2 -> DELIVERED;
            case 3 -> DOUBTFUL;
            case 4 -> FINAL;
            default -> UNAVAILABLE;
          };
    };
  }
}
