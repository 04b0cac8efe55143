package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What Linux tells in `/proc` about files that are open, also those without a name. On other
/// systems, and about processes of other users or containers, it tells nothing.
public final class OpenFileLinks {
  private static final Path PROC = Path.of("/proc");
  private static final String DELETED = " (deleted)";

  private OpenFileLinks() {}

  /// Whether this process has opened `file` by that name, and the file has a name elsewhere now,
  /// because a directory above it was renamed.
  public static boolean wasMoved(Path file) {
    String name = "/" + file.getFileName();
    boolean isElsewhere = false;
    for (String target : targets("self")) {
      if (target.endsWith(name + DELETED)) {
        return false;
      }
      isElsewhere |= target.endsWith(name);
    }
    return isElsewhere;
  }

  /// Another process that holds the lock of the agent's `directory`, although its lock file was
  /// deleted. Only the lock file counts: a program that reads the buffer may have locked a file
  /// elsewhere, and the SDK locks files of its own in the directory.
  ///
  /// @return its process id; null when none is known
  static @Nullable String holderWithoutName(Path directory) {
    Set<String> lockHolders = lockHolders();
    boolean _ = lockHolders.remove(Long.toString(ProcessHandle.current().pid()));
    if (lockHolders.isEmpty()) {
      return null;
    }
    try {
      String lock = directory.toRealPath().resolve(DirectoryLayout.LOCK) + DELETED;
      for (String process : lockHolders) {
        if (targets(process).contains(lock)) {
          return process;
        }
      }
    } catch (IOException gone) {
      // Without a directory nobody has a file in it.
      return null;
    }
    return null;
  }

  /// The processes that hold an exclusive lock on the whole of any file, as an agent does.
  private static Set<String> lockHolders() {
    Set<String> holders = new LinkedHashSet<>();
    try {
      for (String line : Files.readAllLines(PROC.resolve("locks"))) {
        // 1: POSIX  ADVISORY  WRITE 19721 fe:00:10068587 0 EOF
        if (line.contains(" POSIX ") && line.contains(" WRITE ") && line.endsWith(" 0 EOF")) {
          String[] words = line.split(" +", -1);
          boolean _ = holders.add(words[4]);
        }
      }
      return holders;
    } catch (IOException noList) {
      return holders;
    }
  }

  private static List<String> targets(String process) {
    List<String> targets = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(PROC.resolve(process).resolve("fd"))) {
      for (Path file : files) {
        try {
          boolean _ = targets.add(Files.readSymbolicLink(file).toString());
        } catch (IOException closed) {
          // It was closed meanwhile.
        }
      }
      return targets;
    } catch (IOException | DirectoryIteratorException otherUser) {
      return targets;
    }
  }
}
