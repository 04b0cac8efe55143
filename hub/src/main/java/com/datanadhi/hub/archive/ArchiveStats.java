package com.datanadhi.hub.archive;

import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// What the archiver has done in this run, and what it waits for.
///
/// @param lagEvents applied records that are not known to be archived
/// @param segments finished segments
/// @param events records in them
/// @param bytes of the packed segments
/// @param lastSuccess when a segment was last finished, in milliseconds since 1970, or null
/// @param failures of the store, or of the scratch directory
/// @param lastFailure when the latest of them was, in milliseconds since 1970, or null
/// @param lastError the latest of them, or null
/// @param alarms why the archiving of a tenant has stopped, by tenant
/// @param waiting tenants whose archive is ahead or forked
public record ArchiveStats(
    long lagEvents,
    long segments,
    long events,
    long bytes,
    @Nullable Long lastSuccess,
    long failures,
    @Nullable Long lastFailure,
    @Nullable String lastError,
    SortedMap<String, String> alarms,
    Map<String, ArchiveRelation> waiting) {}
