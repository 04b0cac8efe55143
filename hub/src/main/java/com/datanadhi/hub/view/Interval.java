package com.datanadhi.hub.view;

/// A run of consecutive numbers of a source that are stored, both ends included.
public record Interval(long first, long last) {}
