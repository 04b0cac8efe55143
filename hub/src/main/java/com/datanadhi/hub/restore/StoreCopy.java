package com.datanadhi.hub.restore;

import com.datanadhi.hub.archive.ArchiveFaultException;
import com.datanadhi.hub.archive.ArchiveKeys;
import com.datanadhi.hub.archive.ArchiveReader;
import com.datanadhi.hub.archive.ArchiveReader.Segment;
import com.datanadhi.hub.archive.ArchiveReader.Segments;
import com.datanadhi.hub.objects.ObjectInfo;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.snapshot.Manifest;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.snapshot.SnapshotStore;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Copies what a restored history has of archive and snapshots into another store, so that a hub on
/// the restored directory continues there: whole segments and snapshots up to the cut. What is left
/// of the segment that the cut is in, the hub archives by itself. Run again, it goes on. Used by
/// one thread.
public final class StoreCopy {
  private final ObjectStore from;
  private final ObjectStore to;
  private final Path scratch;

  /// @param scratch a directory that exists, with room for the largest object
  public StoreCopy(ObjectStore from, ObjectStore to, Path scratch) {
    this.from = from;
    this.to = to;
    this.scratch = scratch;
  }

  /// Copies a tenant's objects.
  ///
  /// @return how many
  /// @throws RestoreException the other store has an object of the same name that is another one
  public int copy(Cut cut)
      throws RestoreException, ObjectStoreException, IOException, InterruptedException {
    List<String> keys = new ArrayList<>();
    try {
      Segments segments = new ArchiveReader(from).segments(cut.tenant());
      keys.addAll(marks(cut));
      for (Segment segment : segments.segments()) {
        if (segment.checksum().lastSeq() <= cut.seq()) {
          keys.add(segment.name().dataKey());
          keys.add(segment.name().checksumKey());
        }
      }
    } catch (ArchiveFaultException fault) {
      throw new RestoreException(String.valueOf(fault.getMessage()), fault);
    }
    for (Snapshot snapshot : new SnapshotStore(from).list(cut.tenant()).finished()) {
      if (snapshot.manifest().seq() <= cut.seq()) {
        snapshot.manifest().files().keySet().forEach(file -> keys.add(snapshot.key(file)));
        keys.add(snapshot.key(Manifest.NAME));
      }
    }
    for (String key : keys) {
      copy(key);
    }
    return keys.size();
  }

  /// The marks of what retention had deleted before the cut.
  private List<String> marks(Cut cut) throws ObjectStoreException, InterruptedException {
    String prefix = ArchiveKeys.tenant(cut.tenant());
    String last = prefix + String.format(Locale.ROOT, "retained_%020d.json", cut.seq() + 1);
    List<String> marks = new ArrayList<>();
    from.list(
        prefix,
        (ObjectInfo object) -> {
          boolean isMark = object.key().startsWith(prefix + "retained_");
          if (isMark && object.key().compareTo(last) <= 0) {
            boolean _ = marks.add(object.key());
          }
          return true;
        });
    return marks;
  }

  private void copy(String key)
      throws RestoreException, ObjectStoreException, IOException, InterruptedException {
    Path file = Files.createTempFile(scratch, "copy-", ".object");
    try {
      String digest;
      try (InputStream in = from.open(key);
          OutputStream out = new FileOutputStream(file.toFile())) {
        digest = transfer(in, out);
      }
      boolean _ = to.create(key, file);
      try (InputStream in = to.open(key)) {
        if (!transfer(in, OutputStream.nullOutputStream()).equals(digest)) {
          throw new RestoreException(
              to.url()
                  + ": "
                  + key
                  + " is there already, and is another object: name an empty place with --copy-to");
        }
      }
    } finally {
      Files.delete(file);
    }
  }

  /// @return SHA-256 in lower-case hex
  private static String transfer(InputStream in, OutputStream out) throws IOException {
    MessageDigest sha = Digests.sha256();
    long _ = in.transferTo(new DigestOutputStream(out, sha));
    return Digests.hex(sha.digest());
  }
}
