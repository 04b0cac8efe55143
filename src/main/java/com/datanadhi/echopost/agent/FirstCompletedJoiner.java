package com.datanadhi.echopost.agent;

import java.util.Objects;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Ends the scope when its first subtask completes, with or without success: each subtask runs as
/// long as the agent does, so the completion of any is the end of the run.
final class FirstCompletedJoiner implements Joiner<AgentState, AgentState> {
  private final AtomicReference<@Nullable Subtask<? extends AgentState>> first =
      new AtomicReference<>();

  @Override
  public boolean onComplete(Subtask<? extends AgentState> subtask) {
    first.compareAndSet(null, subtask);
    return true;
  }

  /// The state that the first subtask returned.
  ///
  /// @throws Throwable what it failed with
  @Override
  public AgentState result() throws Throwable {
    Subtask<? extends AgentState> ended = Objects.requireNonNull(first.get());
    if (ended.state() == Subtask.State.FAILED) {
      throw ended.exception();
    }
    return ended.get();
  }
}
