package com.datanadhi.sdk.internal.echopost;

/** How a download ended. */
sealed interface DownloadResult {
  /** The program is there; perhaps it was before, or another process has got it. */
  record Present() implements DownloadResult {}

  /** No connection, no answer in time, or a connection that broke. */
  record NetworkError(String why) implements DownloadResult {}

  /** An answer other than 200. */
  record BadAnswer(String url, int status) implements DownloadResult {}

  /** What came is not what {@code .sha256} says. */
  record WrongContent(String url, String expected, String got) implements DownloadResult {}

  /** The file could not be written. */
  record WriteError(String why) implements DownloadResult {}
}
