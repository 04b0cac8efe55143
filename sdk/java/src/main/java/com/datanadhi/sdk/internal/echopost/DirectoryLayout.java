package com.datanadhi.sdk.internal.echopost;

import java.nio.file.Path;

/**
 * Where EchoPost's files are; the same for the SDKs of all languages, so that they share an agent.
 */
record DirectoryLayout(Path directory) {
  static DirectoryLayout below(Path sdkDirectory) {
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

  /** What was written to the buffer last; not there when its agent left in peace. */
  Path bufferLog() {
    return directory.resolve("buffer.db-wal");
  }

  Path startLock() {
    return directory.resolve(".sdk-start.lock");
  }

  Path downloadLock() {
    return directory.resolve(".sdk-download.lock");
  }
}
