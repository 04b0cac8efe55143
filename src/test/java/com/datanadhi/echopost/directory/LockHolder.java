package com.datanadhi.echopost.directory;

import com.datanadhi.echopost.time.Clock;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// A program that holds the lock `args[0]` until its standard input ends, as another agent would.
/// It has the other files open meanwhile.
final class LockHolder {
  private LockHolder() {}

  public static void main(String[] args) throws Exception {
    try (DirectoryLock lock =
        Objects.requireNonNull(DirectoryLock.take(Path.of(args[0]), Clock.system()))) {
      for (String file : List.of(args).subList(1, args.length)) {
        InputStream _ = Files.newInputStream(Path.of(file));
      }
      System.out.println("held " + lock.hashCode());
      int _ = System.in.read();
    }
  }
}
