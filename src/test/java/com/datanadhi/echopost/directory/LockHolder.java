package com.datanadhi.echopost.directory;

import com.datanadhi.echopost.time.Clock;
import java.nio.file.Path;
import java.util.Objects;

/// A program that holds the lock until its standard input ends, as another agent would.
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
