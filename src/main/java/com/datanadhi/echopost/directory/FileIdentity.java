package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// Which file a name leads to. An open file keeps its identity when its name is deleted or given to
/// another file, and no other file gets that identity while it is open.
public final class FileIdentity {
  private FileIdentity() {}

  /// The device and the inode of what is called `name`; a symbolic link is not followed.
  ///
  /// @return null when nothing has that name
  /// @throws IOException when that cannot be determined
  public static @Nullable Object of(Path name) throws IOException {
    try {
      return Files.readAttributes(name, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException gone) {
      return null;
    } catch (FileSystemException failed) {
      if (String.valueOf(failed.getReason()).equals("Not a directory")) {
        return null;
      }
      throw failed;
    }
  }
}
