package com.datanadhi.hub.hub;

import com.datanadhi.hub.hub.HubRun.End;
import java.util.Objects;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Ends the scope when its first sibling ends, with or without success: none ends while the hub
/// runs.
final class FirstCompletedJoiner implements Joiner<End, End> {
  private final AtomicReference<@Nullable Subtask<? extends End>> first = new AtomicReference<>();

  @Override
  public boolean onComplete(Subtask<? extends End> subtask) {
    first.compareAndSet(null, subtask);
    return true;
  }

  /// How the first one ended.
  ///
  /// @throws Throwable what it failed with
  @Override
  public End result() throws Throwable {
    Subtask<? extends End> ended = Objects.requireNonNull(first.get());
    if (ended.state() == Subtask.State.FAILED) {
      throw ended.exception();
    }
    return ended.get();
  }
}
