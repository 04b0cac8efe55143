package com.datanadhi.hub.archive;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.Digests;
import org.jspecify.annotations.Nullable;

/// The packed records of a segment. They are held in memory packed (8 MiB, and more only when one
/// transaction is larger) and unpacked line by line.
final class SegmentData {
  /// A larger object is no segment: it is cut at 8 MiB, and one transaction can come on top.
  static final int MAX_PACKED = 64 << 20;

  private final String object;
  private final byte[] packed;

  private SegmentData(String object, byte[] packed) {
    this.object = object;
    this.packed = packed;
  }

  static SegmentData read(ObjectStore store, SegmentName name)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    return read(store, name, MAX_PACKED);
  }

  /// @param maxBytes a larger object is a fault
  static SegmentData read(ObjectStore store, SegmentName name, int maxBytes)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    String key = name.dataKey();
    return new SegmentData(key, Contents.read(store, key, maxBytes));
  }

  /// As above; null if there is no such object.
  static @Nullable SegmentData readIfThere(ObjectStore store, SegmentName name)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    String key = name.dataKey();
    byte[] packed = Contents.readIfThere(store, key, MAX_PACKED);
    return packed == null ? null : new SegmentData(key, packed);
  }

  long bytes() {
    return packed.length;
  }

  String sha256() {
    return Digests.hex(Digests.sha256().digest(packed));
  }

  /// Its lines, from the first one. To be closed.
  SegmentLines lines() throws ArchiveFaultException {
    return new SegmentLines(object, packed);
  }
}
