package com.datanadhi.hub.query;

import com.datanadhi.hub.view.EventLine;

/// A record of a pipeline.
///
/// @param n its number within the pipeline, from 1
public record PipelineRecord(long n, EventLine line) {}
