package com.datanadhi.echopost.directory;

import com.datanadhi.echopost.time.Clock;
import java.nio.file.Path;
import java.util.Objects;

/// Another agent as far as the lock is concerned: a process that holds it until its standard input
/// ends.
final class LockHolder {
  private LockHolder() {}

  public static void main(String[] args) throws Exception {
    try (DirectoryLock lock =
        Objects.requireNonNull(DirectoryLock.take(Path.of(args[0]), Clock.system()))) {
      System.out.println("held " + lock.hashCode());
      int _ = System.in.read();
    }
  }
}
