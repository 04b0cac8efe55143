package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectInfo;
import java.util.List;
import java.util.Map;

/// What the object store has below `snapshots/<tenant>/`.
///
/// @param finished in order of [Snapshot#BY_SEQ]
/// @param unfinished folders without a manifest, with their objects: one is being made, or its
///   making or deleting was cut off
/// @param faults a line for each manifest that cannot be used, beginning with its key
/// @param others keys of objects that no snapshot has
public record SnapshotList(
    List<Snapshot> finished,
    Map<String, List<ObjectInfo>> unfinished,
    List<String> faults,
    List<String> others) {}
