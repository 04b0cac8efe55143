package com.datanadhi.echopost.bench;

import java.nio.file.Path;
import java.util.function.Supplier;

/// A service that has just started to accept records on a socket: a program or the no-op service.
///
/// @param name the subject of its values
/// @param process finds the serving process; a launcher needs a moment to start it
/// @param spawnedNanos when it was spawned, by `System.nanoTime`
/// @param readyNanos when it was ready, by `System.nanoTime`
record RunningService(
    String name,
    Path socket,
    Supplier<ProcessHandle> process,
    long spawnedNanos,
    long readyNanos) {}
