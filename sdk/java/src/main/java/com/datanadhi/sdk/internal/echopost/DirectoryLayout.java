package com.datanadhi.sdk.internal.echopost;

import java.nio.file.Path;

/**
 * The names of EchoPost's files. SDKs for other languages use the same ones, so that all SDKs share
 * one agent per directory.
 *
 * @param directory EchoPost's directory, {@code echopost/} in the SDK's directory
 */
record DirectoryLayout(Path directory) {
  static DirectoryLayout in(Path sdkDirectory) {
    return new DirectoryLayout(sdkDirectory.resolve("echopost"));
  }

  Path program() {
    return directory.resolve("echopost");
  }

  Path socket() {
    return directory.resolve("data-nadhi-agent.sock");
  }

  Path buffer() {
    return directory.resolve("buffer.db");
  }

  /** The write-ahead log of the buffer; an agent that exits normally deletes it. */
  Path bufferWal() {
    return directory.resolve("buffer.db-wal");
  }

  Path startLock() {
    return directory.resolve(".sdk-start.lock");
  }

  Path downloadLock() {
    return directory.resolve(".sdk-download.lock");
  }

  /** When the SDKs last looked for a newer program, and what they found. */
  Path updateStamp() {
    return directory.resolve(".sdk-update");
  }

  /** A stale socket is moved here before it is deleted. */
  Path staleSocket() {
    return directory.resolve(".sdk-stale.sock");
  }
}
