package com.datanadhi.hub.objects;

/// What a listing tells of an object.
///
/// @param bytes its size
/// @param createdAt milliseconds since 1970, by the clock of the store
public record ObjectInfo(String key, long bytes, long createdAt) {}
