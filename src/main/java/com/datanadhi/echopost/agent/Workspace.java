package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.net.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// The agent's directory, found fit for use.
///
/// @param directory as the caller gave it: a relative path stays relative, so that a short one fits
///   a socket address
public record Workspace(Path directory) {
  static final String LOCK = "agent.lock";
  private static final String SOCKET = "data-nadhi-agent.sock";
  private static final List<String> OURS =
      List.of(
          LOCK, "buffer.db", "buffer.db-wal", "buffer.db-shm", "buffer.db-watermark", "reserve");

  /// The public name of the socket of an agent that lives in `directory`.
  public static Path socketIn(Path directory) {
    return directory.resolve(SOCKET);
  }

  /// Creates the directory if need be (mode 0700) and checks that all the agent needs can live in
  /// it.
  static Workspace prepare(Path directory) throws UnusableDirectoryException {
    int longest = Transport.ofThisSystem().longestSocketPath();
    int length = directory.resolve(SOCKET).toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > longest) {
      throw new UnusableDirectoryException(
          "the directory's path is too long: "
              + directory.resolve(SOCKET)
              + " has "
              + length
              + " bytes, a UNIX socket's path may have "
              + longest
              + "; choose a shorter one with -datanadhi");
    }
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException notADirectory) {
      throw new UnusableDirectoryException(
          directory + " is not a directory: choose another with -datanadhi");
    } catch (IOException failed) {
      throw new UnusableDirectoryException(
          "cannot create " + directory + " (" + failed + "): choose another with -datanadhi");
    }
    if (!Files.isWritable(directory) || !Files.isExecutable(directory)) {
      throw new UnusableDirectoryException(
          directory + " is not writable: mend its permissions or choose another with -datanadhi");
    }
    for (String name : OURS) {
      Path file = directory.resolve(name);
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)
          && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        throw new UnusableDirectoryException(
            file + " is not a plain file and not ours: move it away, or choose another directory");
      }
    }
    if (Files.isDirectory(directory.resolve(SOCKET), LinkOption.NOFOLLOW_LINKS)) {
      throw new UnusableDirectoryException(
          directory.resolve(SOCKET) + " is a directory: move it away, the socket goes there");
    }
    return new Workspace(directory);
  }

  Path lockFile() {
    return directory.resolve(LOCK);
  }
}
