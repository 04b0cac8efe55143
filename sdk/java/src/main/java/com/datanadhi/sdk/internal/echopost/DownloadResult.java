package com.datanadhi.sdk.internal.echopost;

/** The result of a download. */
sealed interface DownloadResult {
  /** The program is installed, by this download, by another process, or since before. */
  record Present() implements DownloadResult {}

  /** The connection failed or broke, or no data came in time. */
  record NetworkError(String reason) implements DownloadResult {}

  /** The server answered with a status other than 200. */
  record UnexpectedStatus(String url, int status) implements DownloadResult {}

  /** The SHA-256 of the file is not the one in the server's {@code .sha256} file. */
  record ChecksumMismatch(String url, String expected, String actual) implements DownloadResult {}

  /** The file is not EchoPost for this platform, or does not start. */
  record NotEchoPost(String url, String problem) implements DownloadResult {}

  /** The file could not be written. */
  record WriteError(String reason) implements DownloadResult {}
}
