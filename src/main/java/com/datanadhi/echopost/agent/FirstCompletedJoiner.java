package com.datanadhi.echopost.agent;

import java.util.Objects;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Ends the scope when the first of its subtasks ends, well or badly: each of them runs for as long
/// as the agent does, so whichever ends says that the run is over.
final class FirstCompletedJoiner implements Joiner<AgentState, AgentState> {
  private final AtomicReference<@Nullable Subtask<? extends AgentState>> first =
      new AtomicReference<>();

  @Override
  public boolean onComplete(Subtask<? extends AgentState> subtask) {
    first.compareAndSet(null, subtask);
    return true;
  }

  /// The state in which the run ended.
  ///
  /// @throws Throwable what the subtask failed with
  @Override
  public AgentState result() throws Throwable {
    Subtask<? extends AgentState> ended = Objects.requireNonNull(first.get());
    if (ended.state() == Subtask.State.FAILED) {
      throw ended.exception();
    }
    return ended.get();
  }
}
