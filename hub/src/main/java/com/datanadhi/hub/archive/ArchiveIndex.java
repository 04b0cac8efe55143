package com.datanadhi.hub.archive;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.Parallel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/// Which objects a tenant's archive has, and what each `.checksum` says: read once, several at a
/// time, since there is one for each segment of the archive's whole life. About 700 bytes of memory
/// each. Immutable.
final class ArchiveIndex {
  /// Requests at a time. The store's answers take milliseconds, the work with them does not.
  private static final int READERS = 16;

  /// Of an archive without objects.
  static final ArchiveIndex EMPTY =
      new ArchiveIndex(new ArchiveListing(new TreeMap<>(), new TreeSet<>(), List.of()), Map.of());

  private final ArchiveListing listing;
  private final Map<SegmentName, Entry> entries;

  private ArchiveIndex(ArchiveListing listing, Map<SegmentName, Entry> entries) {
    this.listing = listing;
    this.entries = entries;
  }

  /// What a `.checksum` is.
  sealed interface Entry {
    /// It says something.
    ///
    /// @param digest of its text, in hex
    record Known(SegmentChecksum checksum, String digest) implements Entry {}

    /// It does not have the form of one.
    record Malformed(ArchiveFaultException fault, String digest) implements Entry {}

    /// It is too large, or was deleted since it was listed.
    record Unreadable(ArchiveFaultException fault) implements Entry {}
  }

  static ArchiveIndex read(ObjectStore store, String tenant)
      throws ObjectStoreException, InterruptedException {
    ArchiveListing listing = ArchiveListing.of(store, tenant, ArchiveKeys.tenant(tenant));
    List<SegmentName> names =
        listing.segments().entrySet().stream()
            .filter(segment -> segment.getValue().checksum())
            .map(Map.Entry::getKey)
            .toList();
    List<Entry> read = Parallel.map(names, READERS, name -> entry(store, name));
    Map<SegmentName, Entry> entries = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      entries.put(names.get(i), read.get(i));
    }
    return new ArchiveIndex(listing, entries);
  }

  private static Entry entry(ObjectStore store, SegmentName name)
      throws ObjectStoreException, InterruptedException {
    byte[] text;
    try {
      text = Contents.read(store, name.checksumKey(), SegmentChecksum.MAX_BYTES);
    } catch (ArchiveFaultException fault) {
      return new Entry.Unreadable(fault);
    }
    String digest = SegmentChecksum.digest(text);
    try {
      return new Entry.Known(SegmentChecksum.decode(name.checksumKey(), text), digest);
    } catch (ArchiveFaultException fault) {
      return new Entry.Malformed(fault, digest);
    }
  }

  ArchiveListing listing() {
    return listing;
  }

  /// The `.checksum` of a segment that [Parts#checksum] says has one.
  Entry entry(SegmentName name) {
    return Objects.requireNonNull(entries.get(name));
  }
}
