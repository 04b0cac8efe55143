package com.datanadhi.hub.view;

/// A row of `cursors` of `_control`: the newest position of a consumer.
///
/// @param through the last n that it has read
/// @param updatedAt milliseconds since 1970
/// @param controlOffset of the log record in `control`
public record CursorRow(
    String tenant,
    String pipeline,
    String consumer,
    long through,
    long updatedAt,
    long controlOffset) {}
