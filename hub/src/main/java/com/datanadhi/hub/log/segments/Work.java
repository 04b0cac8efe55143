package com.datanadhi.hub.log.segments;

import java.util.concurrent.CompletableFuture;

/// What the writer of a log does, in order.
sealed interface Work permits Group, Work.Task {
  /// A task for between two groups.
  interface Action {
    void run() throws java.io.IOException;
  }

  /// A task that others wait for.
  ///
  /// @param done completes with the action
  record Task(Action action, CompletableFuture<Void> done) implements Work {}
}
