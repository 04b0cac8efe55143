package com.datanadhi.hub.view;

import org.jspecify.annotations.Nullable;

/// A row of `api_keys`.
///
/// @param sha256 of the key, in lower-case hex
/// @param createdAt milliseconds since 1970
/// @param revokedAt null while the key is valid
public record ApiKeyRow(
    String id,
    String tenant,
    @Nullable String name,
    String sha256,
    long createdAt,
    @Nullable Long revokedAt) {}
