package com.datanadhi.echopost.directory;

import com.datanadhi.echopost.net.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The agent's directory, found fit for use.
///
/// @param directory as the caller gave it: a relative path stays relative, so that a short one fits
///   a socket address
public record Workspace(Path directory) {
  private static final String USER = "uid";

  /// Creates the directory if need be (mode 0700) and checks that all the agent needs can live in
  /// it.
  public static Workspace prepare(Path directory) throws UnusableDirectoryException {
    int longest = Transport.ofThisSystem().longestSocketPath();
    int length =
        DirectoryLayout.socket(directory).toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > longest) {
      throw new UnusableDirectoryException(
          "the directory's path is too long: "
              + DirectoryLayout.socket(directory)
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
    if (Files.isDirectory(DirectoryLayout.socket(directory), LinkOption.NOFOLLOW_LINKS)) {
      throw new UnusableDirectoryException(
          DirectoryLayout.socket(directory)
              + " is a directory: move it away, the socket goes there");
    }
    try {
      checkWhatIsThere(directory);
    } catch (IOException | DirectoryIteratorException failed) {
      throw new UnusableDirectoryException(
          "cannot look into "
              + directory
              + " ("
              + failed
              + "): mend its permissions or choose another directory with -datanadhi");
    }
    return new Workspace(directory);
  }

  /// What stands under our names is neither followed nor opened before it is known to be ours: a
  /// directory that others can write to may hold anything.
  private static void checkWhatIsThere(Path directory)
      throws IOException, UnusableDirectoryException {
    List<Path> ours = ours(directory);
    // A first start need not ask whose files are its own.
    check(ours, ours.isEmpty() ? null : userOfNewFiles(directory));
  }

  /// The same for a command, save that it may be another user's than the agent's, as root's.
  ///
  /// @param directory the agent's, if it exists
  public static void checkForCommand(Path directory)
      throws IOException, UnusableDirectoryException {
    if (Files.isDirectory(directory)) {
      check(ours(directory), null);
    }
  }

  private static List<Path> ours(Path directory) throws IOException {
    List<Path> ours = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(directory, entry -> DirectoryLayout.isOurs(nameOf(entry)))) {
      entries.forEach(ours::add);
    }
    return ours;
  }

  /// @param self whose they must be; null for anybody's
  private static void check(List<Path> ours, @Nullable Object self)
      throws IOException, UnusableDirectoryException {
    for (Path entry : ours) {
      if (DirectoryLayout.isSession(nameOf(entry))) {
        check(entry, "directory", "isDirectory", self);
      } else {
        check(entry, "file", "isRegularFile", self);
      }
    }
  }

  private static String nameOf(Path entry) {
    return String.valueOf(entry.getFileName());
  }

  private static void check(Path entry, String kind, String isOfThatKind, @Nullable Object self)
      throws IOException, UnusableDirectoryException {
    Map<String, Object> found;
    try {
      found = look(entry);
    } catch (NoSuchFileException gone) {
      // An agent is leaving just now.
      return;
    }
    if (!Boolean.TRUE.equals(found.get(isOfThatKind))) {
      throw new UnusableDirectoryException(
          entry
              + " is not a plain "
              + kind
              + " and not ours: move it away, or choose another directory");
    }
    if (self != null && !self.equals(found.get(USER))) {
      throw new UnusableDirectoryException(
          entry + " belongs to another user: move it away, or choose another directory");
    }
  }

  /// As whose the files that this process makes here appear: on a network's or a host's file system
  /// that may be somebody else than the process's user.
  ///
  /// @return null when no file can be made to see, as on a full disk
  private static @Nullable Object userOfNewFiles(Path directory) throws IOException {
    Path probe = directory.resolve(".agent-probe-" + Long.toHexString(new Random().nextLong()));
    try {
      Files.createFile(probe);
    } catch (FileSystemException full) {
      return null;
    }
    try {
      return look(probe).get(USER);
    } finally {
      Files.deleteIfExists(probe);
    }
  }

  /// Users by number: their names may have to be asked for over the network.
  private static Map<String, Object> look(Path entry) throws IOException {
    return Files.readAttributes(
        entry, "unix:" + USER + ",isRegularFile,isDirectory", LinkOption.NOFOLLOW_LINKS);
  }

  /// Who else can write to the directory, in words; null when nobody can.
  public @Nullable String writableBy() throws IOException {
    Set<PosixFilePermission> mode = Files.getPosixFilePermissions(directory);
    if (mode.contains(PosixFilePermission.OTHERS_WRITE)) {
      return "everyone";
    }
    return mode.contains(PosixFilePermission.GROUP_WRITE) ? "its group" : null;
  }

  /// Takes away the name of a dead agent's socket, which refuses whoever meets it. Only for who
  /// holds the directory's lock: then nobody listens on whatever stands there.
  public void removeDeadSocket() throws UnusableDirectoryException {
    try {
      Files.deleteIfExists(DirectoryLayout.socket(directory));
    } catch (IOException failed) {
      throw new UnusableDirectoryException(
          "cannot remove "
              + DirectoryLayout.socket(directory)
              + " ("
              + failed
              + "): move it away, the socket goes there");
    }
  }

  public Path lockFile() {
    return DirectoryLayout.lock(directory);
  }
}
