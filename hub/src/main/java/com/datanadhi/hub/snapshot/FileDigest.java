package com.datanadhi.hub.snapshot;

/// What a file of a snapshot is compared by.
///
/// @param bytes its size
/// @param sha256 in lower-case hex
public record FileDigest(long bytes, String sha256) {}
