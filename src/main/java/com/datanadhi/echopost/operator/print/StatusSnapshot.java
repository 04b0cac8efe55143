package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// The state of a directory's agent and buffer at one moment.
///
/// @param presence whether an agent runs
/// @param lockHolder the process that holds the directory's lock, as the lock file names it; null
///   if none does
/// @param agent the agent's answer; null if no agent runs or it did not answer
/// @param agentProblem why the agent did not answer; null if it did, or if no agent runs
/// @param lastRun how the newest session ended; null if a process holds the directory, or there was
///   no session
public record StatusSnapshot(
    Presence presence,
    @Nullable String lockHolder,
    @Nullable AgentStatus agent,
    @Nullable String agentProblem,
    @Nullable LastRun lastRun,
    Totals totals,
    BufferView.Backlog backlog,
    SortedMap<Integer, Long> rejectedByStatus,
    BufferView.DiskSpace diskSpace) {
  /// Whether an agent runs.
  public enum Presence {
    /// It accepts connections at its socket.
    RUNNING,
    /// It owns the directory, but does not answer in time.
    UNRESPONSIVE,
    /// No agent accepts connections, but a process holds the directory's lock: an agent that starts
    /// or exits, or a command.
    BUSY,
    /// No process holds the directory's lock.
    ABSENT
  }

  /// Seconds until no record is pending, at the present rates; null if that is not known, or never.
  @Nullable Double drainedInSeconds() {
    if (backlog.records() == 0) {
      return 0.0;
    }
    if (agent == null || agent.serverHealth() != ServerHealth.UP) {
      return null;
    }
    double decreasePerSecond = agent.deliveredPerSecond() - agent.acceptedPerSecond();
    return decreasePerSecond > 0 ? backlog.records() / decreasePerSecond : null;
  }

  /// Whether new records can be accepted.
  AgentStatus.StorageState storage() {
    if (agent != null) {
      return agent.storageState();
    }
    return diskSpace.needed() == 0 ? AgentStatus.StorageState.OK : AgentStatus.StorageState.FULL;
  }

  /// Why the agent's storage is blocked or failed; empty otherwise.
  String storageProblem() {
    return agent == null ? "" : agent.storageProblem();
  }

  /// The exit status of `status`.
  public ExitCode exitCode() {
    if (storage() != AgentStatus.StorageState.OK || presence == Presence.UNRESPONSIVE) {
      return ExitCode.FATAL;
    }
    if (backlog.records() > 0 && presence == Presence.ABSENT) {
      return ExitCode.STOPPED;
    }
    return rejectedByStatus.isEmpty() ? ExitCode.DONE : ExitCode.REJECTED;
  }
}
