package com.datanadhi.echopost.bench;

import java.nio.file.Path;
import java.util.function.Supplier;

/// Somebody who takes records on a socket, just started.
///
/// @param name whose the values are that are measured with it
/// @param process finds the one that serves, which takes a moment where a launcher is its parent
/// @param spawnedNanos when it was spawned, by `System.nanoTime`
/// @param readyNanos when it served
record Service(
    String name,
    Path socket,
    Supplier<ProcessHandle> process,
    long spawnedNanos,
    long readyNanos) {}
