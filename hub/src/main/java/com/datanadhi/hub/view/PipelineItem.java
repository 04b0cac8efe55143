package com.datanadhi.hub.view;

/// A record of a pipeline.
///
/// @param n its number within the pipeline, from 1
public record PipelineItem(long n, StoredEvent event) {}
