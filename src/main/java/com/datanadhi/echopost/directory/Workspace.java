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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The agent's directory, checked before use.
///
/// @param directory as the caller gave it: a relative path stays relative, because a socket's path
///   must be short
public record Workspace(Path directory) {
  private static final String USER = "uid";

  /// Creates the directory if it is missing (mode 0700), and checks that the agent can use it and
  /// that the files under its names are its own.
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
      create(directory);
    } catch (FileAlreadyExistsException notADirectory) {
      String found = notADirectory.getFile();
      throw new UnusableDirectoryException(
          (found.equals(directory.toString()) ? "" : "cannot create " + directory + ": ")
              + found
              + " is not a directory: choose another with -datanadhi");
    } catch (IOException failed) {
      throw new UnusableDirectoryException(
          "cannot create " + directory + " (" + failed + "): choose another with -datanadhi");
    }
    if (!Files.isWritable(directory) || !Files.isExecutable(directory)) {
      throw new UnusableDirectoryException(
          directory + " is not writable: fix its permissions or choose another with -datanadhi");
    }
    if (Files.isDirectory(DirectoryLayout.socket(directory), LinkOption.NOFOLLOW_LINKS)) {
      throw new UnusableDirectoryException(
          DirectoryLayout.socket(directory)
              + " is a directory: move it away, the socket goes there");
    }
    try {
      checkOwnFiles(directory);
    } catch (IOException | DirectoryIteratorException failed) {
      throw new UnusableDirectoryException(
          "cannot read the directory "
              + directory
              + " ("
              + failed
              + "): fix its permissions or choose another directory with -datanadhi");
    }
    return new Workspace(directory);
  }

  /// Creates the directory and its missing parents, or nothing. [Files#createDirectories] creates
  /// another directory than the path names if `..` follows a missing one.
  private static void create(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Deque<Path> created = new ArrayDeque<>();
    try {
      Path parent = directory.getRoot();
      for (Path name : directory) {
        parent = parent == null ? name : parent.resolve(name);
        if (!Files.isDirectory(parent) && createOne(parent)) {
          created.push(parent);
        }
      }
    } catch (IOException failed) {
      for (Path empty : created) {
        Files.deleteIfExists(empty);
      }
      throw failed;
    }
  }

  /// Returns false if another process has created it meanwhile.
  private static boolean createOne(Path directory) throws IOException {
    try {
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      return true;
    } catch (FileAlreadyExistsException there) {
      if (!Files.isDirectory(directory)) {
        throw there;
      }
      return false;
    }
  }

  /// Checks the files under the agent's names before any is opened: other users may be able to
  /// write to the directory.
  private static void checkOwnFiles(Path directory) throws IOException, UnusableDirectoryException {
    List<Path> agentFiles = agentFiles(directory);
    // Without files there is no owner to compare, which saves the first start a system call.
    check(agentFiles, agentFiles.isEmpty() ? null : userOfNewFiles(directory));
  }

  /// Checks the files for a command. They may belong to any user, because root may run commands on
  /// another user's agent.
  ///
  /// @param directory the agent's directory; need not exist
  public static void checkForCommand(Path directory)
      throws IOException, UnusableDirectoryException {
    if (Files.isDirectory(directory)) {
      check(agentFiles(directory), null);
    }
  }

  private static List<Path> agentFiles(Path directory) throws IOException {
    List<Path> agentFiles = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(
            directory, entry -> DirectoryLayout.belongsToAgent(nameOf(entry)))) {
      entries.forEach(agentFiles::add);
    }
    return agentFiles;
  }

  /// @param user the number of the user that must own them; null for any
  private static void check(List<Path> agentFiles, @Nullable Object user)
      throws IOException, UnusableDirectoryException {
    for (Path entry : agentFiles) {
      if (DirectoryLayout.isSession(nameOf(entry))) {
        check(entry, "directory", "isDirectory", user);
      } else {
        check(entry, "file", "isRegularFile", user);
      }
    }
  }

  private static String nameOf(Path entry) {
    return String.valueOf(entry.getFileName());
  }

  private static void check(Path entry, String kind, String isOfThatKind, @Nullable Object user)
      throws IOException, UnusableDirectoryException {
    Map<String, Object> found;
    try {
      found = attributes(entry);
    } catch (NoSuchFileException gone) {
      // Another process has just removed it.
      return;
    }
    if (!Boolean.TRUE.equals(found.get(isOfThatKind))) {
      throw new UnusableDirectoryException(
          entry
              + " is not a plain "
              + kind
              + " and not ours: move it away, or choose another directory");
    }
    if (user != null && !user.equals(found.get(USER))) {
      throw new UnusableDirectoryException(
          entry + " belongs to another user: move it away, or choose another directory");
    }
  }

  /// The number of the user that owns the files this process creates here: on a network file system
  /// or a host's directory that can be another user than the process's.
  ///
  /// @return null when no file can be created to find out, as on a full disk
  private static @Nullable Object userOfNewFiles(Path directory) throws IOException {
    Path probe = probe(directory);
    try {
      Files.createFile(probe);
    } catch (FileSystemException full) {
      return null;
    }
    try {
      return attributes(probe).get(USER);
    } finally {
      Files.deleteIfExists(probe);
    }
  }

  /// Whether `count` files can be created now. Creates and deletes them.
  public boolean hasRoomFor(int count) throws IOException {
    List<Path> probes = new ArrayList<>();
    try {
      for (int n = 0; n < count; n++) {
        probes.add(Files.createFile(probe(directory)));
      }
      return true;
    } catch (FileSystemException full) {
      return false;
    } finally {
      for (Path probe : probes) {
        Files.deleteIfExists(probe);
      }
    }
  }

  /// Why nothing can be written in `directory`, although its permissions allow it: in words, null
  /// if there is no such reason. Creates and deletes an empty file, since the system does not list
  /// each file system that became read-only after an error.
  public static @Nullable String obstacleToWriting(Path directory) throws IOException {
    Path probe = probe(directory);
    try {
      Files.createFile(probe);
      Files.delete(probe);
    } catch (FileSystemException failed) {
      if (String.valueOf(failed.getReason()).equals("Read-only file system")) {
        return "the file system is read-only";
      }
    }
    return new Volume(directory).usableBytes() == 0 ? "the file system is full" : null;
  }

  private static Path probe(Path directory) {
    return directory.resolve(
        DirectoryLayout.PROBE_PREFIX + Long.toHexString(new Random().nextLong()));
  }

  /// Users by number: looking up their names can need the network.
  private static Map<String, Object> attributes(Path entry) throws IOException {
    return Files.readAttributes(
        entry, "unix:" + USER + ",isRegularFile,isDirectory", LinkOption.NOFOLLOW_LINKS);
  }

  /// The other users that can write to the directory, in words; null when there are none.
  public @Nullable String writableBy() throws IOException {
    Set<PosixFilePermission> mode = Files.getPosixFilePermissions(directory);
    if (mode.contains(PosixFilePermission.OTHERS_WRITE)) {
      return "everyone";
    }
    return mode.contains(PosixFilePermission.GROUP_WRITE) ? "its group" : null;
  }

  /// Removes the socket file of a dead agent: no client can connect to it. The caller holds the
  /// directory's lock, so no agent listens on it.
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

  /// The lock file.
  public Path lockFile() {
    return DirectoryLayout.lock(directory);
  }
}
