package com.datanadhi.hub.view;

import java.util.List;

/// What is stored of a source.
///
/// @param intervals in order, never adjacent
/// @param lastReceivedAt of its last stored record, in milliseconds since 1970
public record SourceState(String source, List<Interval> intervals, long lastReceivedAt) {}
