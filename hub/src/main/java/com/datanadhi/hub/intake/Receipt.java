package com.datanadhi.hub.intake;

import org.jspecify.annotations.Nullable;

/// The answer to a transaction that is stored. Built from its log record alone, so that each repeat
/// gets the same bytes.
///
/// @param sha256 the digest, in lower-case hex; null beyond the key horizon, where the payload
///   cannot be compared any more
/// @param durability in force at its append; null when `sha256` is
public record Receipt(
    String tenant, String key, @Nullable String sha256, @Nullable String durability) {}
