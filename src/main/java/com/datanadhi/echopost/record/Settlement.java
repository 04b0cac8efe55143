package com.datanadhi.echopost.record;

import java.util.List;

/// What the server's answer to a batch decides about the first pending records.
///
/// @param throughId the last of these records
/// @param rejections those that the server rejected, by ascending id; it has accepted all others
public record Settlement(long throughId, List<Rejection> rejections) {}
