package com.datanadhi.hub.view;

/// A row of `skips`: a log record that an operator decided to pass over.
///
/// @param at milliseconds since 1970
public record SkipRow(String stream, long offset, String reason, long at) {}
