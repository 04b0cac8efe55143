package com.datanadhi.hub.archive;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// The names of a tenant's objects in the archive, without their content.
///
/// @param segments with at least one of both objects, in order
/// @param marks the first seqs of the retained marks
/// @param unknown keys of objects that the hub does not write
record ArchiveListing(
    SortedMap<SegmentName, Parts> segments, SortedSet<Long> marks, List<String> unknown) {
  /// Which objects of a segment are there.
  ///
  /// @param data its records
  /// @param checksum its checksum: without it the segment does not exist yet
  record Parts(boolean data, boolean checksum) {}

  /// Lists the objects below a prefix, which is the tenant's folder or one within it.
  static ArchiveListing of(ObjectStore store, String tenant, String prefix)
      throws ObjectStoreException, InterruptedException {
    SortedMap<SegmentName, Parts> segments = new TreeMap<>();
    SortedSet<Long> marks = new TreeSet<>();
    List<String> unknown = new ArrayList<>();
    store.list(
        prefix,
        object -> {
          switch (ArchiveKeys.kind(tenant, object.key())) {
            case ArchiveKeys.Kind.Data(SegmentName name) ->
                segments.merge(name, new Parts(true, false), ArchiveListing::both);
            case ArchiveKeys.Kind.Checksum(SegmentName name) ->
                segments.merge(name, new Parts(false, true), ArchiveListing::both);
            case ArchiveKeys.Kind.Retained(long firstSeq) -> marks.add(firstSeq);
            case ArchiveKeys.Kind.Unknown() -> unknown.add(object.key());
          }
          return true;
        });
    return new ArchiveListing(segments, marks, unknown);
  }

  private static Parts both(Parts one, Parts other) {
    return new Parts(one.data || other.data, one.checksum || other.checksum);
  }
}
