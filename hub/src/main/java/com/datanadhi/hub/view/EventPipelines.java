package com.datanadhi.hub.view;

/// The pipelines of a row of `events`.
///
/// @param pipelines a JSON array of strings
public record EventPipelines(long seq, String pipelines) {}
