package com.datanadhi.hub.view;

import org.jspecify.annotations.Nullable;

/// Which rows of `events` to read.
///
/// @param from the first seq, included
/// @param limit how many rows at most
/// @param pipeline only records with this pipeline
/// @param since only records that were received then or later, in milliseconds since 1970
/// @param until only records that were received then or before
public record EventFilter(
    long from, int limit, @Nullable String pipeline, @Nullable Long since, @Nullable Long until) {}
