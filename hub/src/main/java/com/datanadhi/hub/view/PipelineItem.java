package com.datanadhi.hub.view;

/// A record of a pipeline.
///
/// @param n its number within the pipeline, from 1
/// @param seq of the record in `events`
public record PipelineItem(long n, long seq) {}
