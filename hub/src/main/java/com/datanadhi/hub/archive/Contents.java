package com.datanadhi.hub.archive;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// Reads whole objects of the archive into memory.
final class Contents {
  private Contents() {}

  /// The content of an object that belongs to the archive.
  ///
  /// @throws ArchiveFaultException it is missing, or larger than `maxBytes`
  static byte[] read(ObjectStore store, String key, int maxBytes)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    byte[] content = readIfThere(store, key, maxBytes);
    if (content == null) {
      throw new ArchiveFaultException(key, "is missing");
    }
    return content;
  }

  /// The content of an object, or null if there is none.
  ///
  /// @throws ArchiveFaultException it is larger than `maxBytes`
  static byte @Nullable [] readIfThere(ObjectStore store, String key, int maxBytes)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    try (InputStream in = store.open(key)) {
      byte[] content = in.readNBytes(maxBytes + 1);
      if (content.length > maxBytes) {
        throw new ArchiveFaultException(key, "has more than " + maxBytes + " bytes");
      }
      return content;
    } catch (ObjectStoreException failed) {
      if (failed.kind() == Kind.MISSING) {
        return null;
      }
      throw failed;
    } catch (IOException broken) {
      throw new ObjectStoreException(
          Kind.UNAVAILABLE, store.url() + ": " + key + " cannot be read: " + broken, broken);
    }
  }
}
