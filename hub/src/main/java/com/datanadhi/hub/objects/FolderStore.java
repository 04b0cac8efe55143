package com.datanadhi.hub.objects;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.hub.time.Clock;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A folder as object store: a key is the path of a file below it. A file is written under another
/// name in the same file system, synced, and then linked under its own, which fails if that exists;
/// then the names of its directories are synced. Files are for their owner alone, and read-only.
/// Thread-safe, also with other processes on the same folder.
///
/// The file system must have hard links, and be one for the whole folder: otherwise `create` throws
/// with [Kind#UNSUPPORTED]. A process that is killed can leave a file in `.unfinished`; the first
/// `create` of a later process removes those that were not written to for a day. A directory whose
/// last object is deleted is removed.
///
/// Files are read and written without interruption: an interrupt ends a call before or after that.
public final class FolderStore implements ObjectStore {
  /// Where files are written before they have their name. Not listed, since it begins with a point.
  private static final String UNFINISHED = ".unfinished";

  private static final long ABANDONED_MILLIS = Duration.ofDays(1).toMillis();

  /// How often a directory is created again that another caller removes as empty meanwhile.
  private static final int MAX_TRIES = 10;

  private static final Set<PosixFilePermission> WRITABLE =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> READ_ONLY =
      PosixFilePermissions.fromString("r--------");
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Path root;
  private volatile boolean abandonedRemoved;

  /// @param root the folder, which is created with the first object
  public FolderStore(Path root) {
    this.root = root;
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  @Override
  public boolean create(String key, Path content)
      throws ObjectStoreException, InterruptedException {
    Path file = file(key);
    // Not Files.newInputStream: its channel would be closed by an interrupt, and the object with
    // it.
    try (InputStream in = new FileInputStream(content.toFile())) {
      return create(file, in::transferTo);
    } catch (ObjectStoreException failed) {
      throw failed;
    } catch (IOException unreadable) {
      throw new ObjectStoreException(
          Kind.REFUSED,
          "cannot read the file to be stored: " + unreadable.getMessage(),
          unreadable);
    }
  }

  @Override
  public boolean create(String key, byte[] content)
      throws ObjectStoreException, InterruptedException {
    return create(file(key), out -> out.write(content));
  }

  private boolean create(Path file, Content content)
      throws ObjectStoreException, InterruptedException {
    checkInterrupt();
    try {
      if (exists(file)) {
        return false;
      }
      Path unfinished = createDirectories(root.resolve(UNFINISHED));
      removeAbandoned(unfinished);
      Path written = unfinished.resolve(UUID.randomUUID().toString());
      try {
        Files.createFile(written, PosixFilePermissions.asFileAttribute(WRITABLE));
        try (FileOutputStream out = new FileOutputStream(written.toFile())) {
          content.writeTo(out);
          out.getFD().sync();
        }
        Files.setPosixFilePermissions(written, READ_ONLY);
        boolean created = link(written, file);
        syncNames(parent(file));
        return created;
      } finally {
        Files.deleteIfExists(written);
      }
    } catch (IOException failed) {
      ObjectStoreException failure = failed(file, "cannot be created", failed);
      if (failure.kind() == Kind.MISSING) {
        // The folder was deleted at this moment: the next try makes it again.
        throw new ObjectStoreException(
            Kind.UNAVAILABLE, String.valueOf(failure.getMessage()), failed);
      }
      throw failure;
    }
  }

  /// @return whether the object exists, with its name as durable as that of a new one: the one who
  ///   created it may not have synced it yet
  private boolean exists(Path file) throws IOException {
    if (!Files.exists(file)) {
      return false;
    }
    if (!Files.isRegularFile(file)) {
      throw new NameConflict(file);
    }
    syncNames(parent(file));
    return true;
  }

  /// @return false if the object exists
  private boolean link(Path written, Path file) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        Path _ = createDirectories(parent(file));
        linkOrRefuse(file, written);
        return true;
      } catch (FileAlreadyExistsException taken) {
        if (Files.isDirectory(file)) {
          throw new NameConflict(file);
        }
        return false;
      } catch (NoSuchFileException removed) {
        if (attempt == MAX_TRIES || !Files.exists(written)) {
          throw removed;
        }
      }
    }
  }

  private static void linkOrRefuse(Path file, Path written) throws IOException {
    try {
      Files.createLink(file, written);
    } catch (UnsupportedOperationException none) {
      throw new NoLinks(none);
    } catch (FileSystemException failed) {
      // Without links, Linux says that it is "not permitted", for FAT, or "not supported".
      switch (String.valueOf(failed.getReason())) {
        case "Operation not permitted",
            "Operation not supported",
            "Function not implemented",
            "Invalid cross-device link" ->
            throw new NoLinks(failed);
        default -> throw failed;
      }
    }
  }

  private void removeAbandoned(Path unfinished) throws IOException {
    if (abandonedRemoved) {
      return;
    }
    long newest = Clock.system().wallMillis() - ABANDONED_MILLIS;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(unfinished)) {
      for (Path file : files) {
        try {
          if (Files.getLastModifiedTime(file).toMillis() < newest) {
            Files.deleteIfExists(file);
          }
        } catch (NoSuchFileException finished) {
          // Another caller has just finished with it.
        }
      }
    } catch (DirectoryIteratorException failed) {
      throw Objects.requireNonNull(failed.getCause());
    }
    abandonedRemoved = true;
  }

  @Override
  public @Nullable ObjectInfo head(String key) throws ObjectStoreException, InterruptedException {
    Path file = file(key);
    checkInterrupt();
    return info(key, file);
  }

  private @Nullable ObjectInfo info(String key, Path file)
      throws ObjectStoreException, InterruptedException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.isRegularFile()
          ? new ObjectInfo(key, attributes.size(), attributes.lastModifiedTime().toMillis())
          : null;
    } catch (IOException failed) {
      if (kind(failed) == Kind.MISSING) {
        return null;
      }
      throw failed(file, "cannot be looked at", failed);
    }
  }

  @Override
  public InputStream open(String key) throws ObjectStoreException, InterruptedException {
    Path file = file(key);
    checkInterrupt();
    try {
      if (info(key, file) == null) {
        throw new NoSuchFileException(file.toString());
      }
      if (!Files.isReadable(file)) {
        throw new AccessDeniedException(file.toString());
      }
      return new FileInputStream(file.toFile());
    } catch (ObjectStoreException failed) {
      throw failed;
    } catch (IOException failed) {
      throw failed(file, "cannot be read", failed);
    }
  }

  @Override
  public byte[] read(String key, int maxBytes) throws ObjectStoreException, InterruptedException {
    try (InputStream in = open(key)) {
      byte[] content = in.readNBytes(maxBytes);
      if (content.length == maxBytes && in.read() != -1) {
        throw new ObjectStoreException(
            Kind.REFUSED, file(key) + ": is larger than " + maxBytes + " bytes", null);
      }
      return content;
    } catch (ObjectStoreException failed) {
      throw failed;
    } catch (IOException failed) {
      throw failed(file(key), "cannot be read", failed);
    }
  }

  /// {@inheritDoc} The names in one directory are in memory at a time.
  @Override
  public void list(String prefix, Sink sink) throws ObjectStoreException, InterruptedException {
    checkInterrupt();
    boolean _ = list(directory(prefix), prefix, sink);
  }

  /// @return whether to go on
  private boolean list(Path directory, String prefix, Sink sink)
      throws ObjectStoreException, InterruptedException {
    // In the order of whole keys, "a.x" stands before "a/x", so directories sort with their '/'.
    for (String name : names(directory)) {
      if (name.endsWith("/")) {
        String folder = name.substring(0, name.length() - 1);
        if (!list(directory.resolve(folder), prefix + name, sink)) {
          return false;
        }
      } else {
        ObjectInfo info = info(prefix + name, directory.resolve(name));
        if (info != null && !sink.accept(info)) {
          return false;
        }
      }
    }
    return true;
  }

  @Override
  public List<String> folders(String prefix) throws ObjectStoreException, InterruptedException {
    checkInterrupt();
    Path directory = directory(prefix);
    List<String> folders = new ArrayList<>();
    for (String name : names(directory)) {
      if (name.endsWith("/")) {
        String folder = name.substring(0, name.length() - 1);
        boolean empty = list(directory.resolve(folder), prefix + name, _ -> false);
        if (!empty) {
          folders.add(folder);
        }
      }
    }
    folders.sort(null);
    return folders;
  }

  /// The names in a directory, those of directories with `/` at their end, in order.
  private List<String> names(Path directory) throws ObjectStoreException, InterruptedException {
    checkInterrupt();
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (ObjectKeys.isName(name)) {
          names.add(Files.isDirectory(entry) ? name + "/" : name);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException missing) {
      return List.of();
    } catch (DirectoryIteratorException failed) {
      throw failed(directory, "cannot be listed", Objects.requireNonNull(failed.getCause()));
    } catch (IOException failed) {
      throw failed(directory, "cannot be listed", failed);
    }
    names.sort(null);
    return names;
  }

  @Override
  public void delete(String key) throws ObjectStoreException, InterruptedException {
    Path file = file(key);
    checkInterrupt();
    try {
      if (Files.isRegularFile(file) && Files.deleteIfExists(file)) {
        removeEmptyDirectories(parent(file));
      }
    } catch (IOException failed) {
      throw failed(file, "cannot be deleted", failed);
    }
  }

  /// Removes a directory and those above it as long as they are empty, and syncs the last one.
  private void removeEmptyDirectories(Path lowest) throws IOException {
    Path directory = lowest;
    while (!directory.equals(root)) {
      try {
        Files.deleteIfExists(directory);
      } catch (DirectoryNotEmptyException used) {
        break;
      }
      directory = parent(directory);
    }
    try {
      sync(directory);
    } catch (NoSuchFileException byAnother) {
      if (!directory.equals(root)) {
        removeEmptyDirectories(parent(directory));
      }
    }
  }

  @Override
  public String url() {
    return "file:" + root;
  }

  @Override
  public void close() {}

  private Path file(String key) {
    ObjectKeys.check(key);
    return root.resolve(key);
  }

  private Path directory(String prefix) {
    ObjectKeys.checkPrefix(prefix);
    return root.resolve(prefix);
  }

  private static Path parent(Path file) {
    Path parent = file.getParent();
    return parent == null ? file.resolve("..") : parent;
  }

  /// Creates a directory and those above it, only for their owner.
  private Path createDirectories(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return directory;
    }
    Path parent = createDirectories(parent(directory));
    try {
      Files.createDirectory(directory, OWNER_ONLY);
    } catch (FileAlreadyExistsException byAnother) {
      if (Files.isRegularFile(directory)) {
        throw new NameConflict(directory);
      }
    }
    // Those in the folder are synced with the object.
    if (!directory.startsWith(root) || directory.equals(root)) {
      sync(parent);
    }
    return directory;
  }

  /// Syncs a directory and those above it in the folder. Those that exist too: another caller may
  /// have created one and not synced it yet.
  private void syncNames(Path lowest) throws IOException {
    Path directory = lowest;
    for (; !directory.equals(root); directory = parent(directory)) {
      sync(directory);
    }
    sync(directory);
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void checkInterrupt() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  /// There is a folder where an object is to be, or an object where a folder is to be.
  private static final class NameConflict extends IOException {
    private static final long serialVersionUID = 1;

    NameConflict(Path path) {
      super(path + " is " + (Files.isDirectory(path) ? "a folder" : "a file"));
    }
  }

  private static final class NoLinks extends IOException {
    private static final long serialVersionUID = 1;

    NoLinks(Exception cause) {
      super(
          "a hard link cannot be made from .unfinished to the object: the folder must lie as a"
              + " whole on one file system with hard links, such as ext4 or XFS",
          cause);
    }
  }

  private ObjectStoreException failed(Path file, String what, IOException cause)
      throws InterruptedException {
    if (cause instanceof ClosedByInterruptException) {
      boolean _ = Thread.interrupted();
      InterruptedException interrupted = new InterruptedException();
      interrupted.initCause(cause);
      throw interrupted;
    }
    return new ObjectStoreException(
        kind(cause), url() + ": " + file + " " + what + ": " + reason(cause), cause);
  }

  private static Kind kind(IOException cause) {
    return switch (cause) {
      case NoSuchFileException _ -> Kind.MISSING;
      case AccessDeniedException _ -> Kind.REFUSED;
      case NameConflict _ -> Kind.REFUSED;
      case NoLinks _ -> Kind.UNSUPPORTED;
      case FileSystemException failed ->
          switch (String.valueOf(failed.getReason())) {
            case "Not a directory" -> Kind.MISSING;
            case "Read-only file system", "Operation not permitted" -> Kind.REFUSED;
            default -> Kind.UNAVAILABLE;
          };
      default -> Kind.UNAVAILABLE;
    };
  }

  private static String reason(IOException cause) {
    return switch (cause) {
      case NoSuchFileException missing -> missing.getFile() + " does not exist";
      case AccessDeniedException denied ->
          denied.getFile()
              + ": permission denied; the folder must belong to the user who runs the hub";
      case FileSystemException failed when failed.getReason() != null -> failed.getReason();
      default -> cause.getMessage() == null ? cause.toString() : cause.getMessage();
    };
  }
}
