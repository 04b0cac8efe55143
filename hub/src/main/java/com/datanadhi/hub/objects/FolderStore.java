package com.datanadhi.hub.objects;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A folder as object store: a key is the path of a file below it. A file is written under another
/// name in the same file system, synced, and then linked under its own, which fails if that exists;
/// then its directory is synced. Files are for their owner alone, and read-only.
public final class FolderStore implements ObjectStore {
  /// Where files are written before they have their name. Not listed, since it begins with a point.
  private static final String UNFINISHED = ".unfinished";

  private final Path root;

  /// @param root the folder, which is created with the first object
  public FolderStore(Path root) {
    this.root = root;
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  @Override
  public boolean create(String key, Path content) throws ObjectStoreException {
    return create(
        key,
        out -> {
          // Not Files.copy: its channel would be closed by an interrupt, and the object with it.
          try (InputStream in = new FileInputStream(content.toFile())) {
            in.transferTo(out);
          }
        });
  }

  @Override
  public boolean create(String key, byte[] content) throws ObjectStoreException {
    return create(key, out -> out.write(content));
  }

  private boolean create(String key, Content content) throws ObjectStoreException {
    Path file = file(key);
    try {
      if (Files.exists(file)) {
        return false;
      }
      Path unfinished = createDirectories(root.resolve(UNFINISHED));
      Path written = unfinished.resolve(UUID.randomUUID().toString());
      try {
        try (FileOutputStream out = new FileOutputStream(written.toFile())) {
          content.writeTo(out);
          out.getFD().sync();
        }
        Files.setPosixFilePermissions(written, PosixFilePermissions.fromString("r--------"));
        Path directory = createDirectories(parent(file));
        Files.createLink(file, written);
        sync(directory);
        return true;
      } finally {
        Files.deleteIfExists(written);
      }
    } catch (FileAlreadyExistsException taken) {
      return false;
    } catch (IOException failed) {
      throw failed(key, "cannot be created", failed);
    }
  }

  @Override
  public @Nullable ObjectInfo head(String key) throws ObjectStoreException {
    Path file = file(key);
    try {
      return info(key, Files.readAttributes(file, BasicFileAttributes.class));
    } catch (NoSuchFileException missing) {
      return null;
    } catch (IOException failed) {
      throw failed(key, "cannot be looked at", failed);
    }
  }

  private static @Nullable ObjectInfo info(String key, BasicFileAttributes attributes) {
    return attributes.isRegularFile()
        ? new ObjectInfo(key, attributes.size(), attributes.lastModifiedTime().toMillis())
        : null;
  }

  @Override
  public InputStream open(String key) throws ObjectStoreException {
    Path file = file(key);
    try {
      if (!Files.isRegularFile(file)) {
        throw new NoSuchFileException(file.toString());
      }
      return new FileInputStream(file.toFile());
    } catch (IOException failed) {
      throw failed(key, "cannot be read", failed);
    }
  }

  @Override
  public byte[] read(String key, int maxBytes) throws ObjectStoreException {
    try (InputStream in = open(key)) {
      byte[] content = in.readNBytes(maxBytes + 1);
      if (content.length > maxBytes) {
        throw new ObjectStoreException(
            Kind.REFUSED, file(key) + ": is larger than " + maxBytes + " bytes", null);
      }
      return content;
    } catch (ObjectStoreException failed) {
      throw failed;
    } catch (IOException failed) {
      throw failed(key, "cannot be read", failed);
    }
  }

  @Override
  public void list(String prefix, Sink sink) throws ObjectStoreException {
    boolean _ = list(directory(prefix), prefix, sink);
  }

  /// @return whether to go on
  private boolean list(Path directory, String prefix, Sink sink) throws ObjectStoreException {
    // In the order of whole keys, "a.x" stands before "a/x", so directories sort with their '/'.
    for (String name : names(directory)) {
      boolean isFolder = name.endsWith("/");
      if (isFolder) {
        String folder = name.substring(0, name.length() - 1);
        if (!list(directory.resolve(folder), prefix + name, sink)) {
          return false;
        }
      } else {
        ObjectInfo info = head(prefix + name);
        if (info != null && !sink.accept(info)) {
          return false;
        }
      }
    }
    return true;
  }

  @Override
  public List<String> folders(String prefix) throws ObjectStoreException {
    return names(directory(prefix)).stream()
        .filter(name -> name.endsWith("/"))
        .map(name -> name.substring(0, name.length() - 1))
        .toList();
  }

  /// The names in a directory, those of directories with `/` at their end, in order.
  private List<String> names(Path directory) throws ObjectStoreException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (ObjectKeys.isName(name)) {
          names.add(Files.isDirectory(entry) ? name + "/" : name);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException missing) {
      return names;
    } catch (DirectoryIteratorException failed) {
      throw failed(directory.toString(), "cannot be listed", new IOException(failed));
    } catch (IOException failed) {
      throw failed(directory.toString(), "cannot be listed", failed);
    }
    names.sort(null);
    return names;
  }

  @Override
  public void delete(String key) throws ObjectStoreException {
    Path file = file(key);
    try {
      if (Files.deleteIfExists(file)) {
        sync(parent(file));
      }
    } catch (IOException failed) {
      throw failed(key, "cannot be deleted", failed);
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

  /// Creates a directory and those above it, only for their owner, and syncs their names.
  private static Path createDirectories(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return directory;
    }
    Path parent = createDirectories(parent(directory));
    try {
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException byAnother) {
      if (!Files.isDirectory(directory)) {
        throw byAnother;
      }
    }
    sync(parent);
    return directory;
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private ObjectStoreException failed(String key, String what, IOException cause) {
    Kind kind =
        switch (cause) {
          case NoSuchFileException _ -> Kind.MISSING;
          case AccessDeniedException _ -> Kind.REFUSED;
          default -> Kind.UNAVAILABLE;
        };
    String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return new ObjectStoreException(
        kind, url() + ": " + key + " " + what + " (" + reason + ")", cause);
  }
}
