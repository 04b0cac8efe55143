package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.operator.run.AgentClient;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// How a directory's agent and buffer are at one moment.
///
/// @param presence whether there is an agent
/// @param holder the process that has the directory's lock, as its file says; null when none has
/// @param agent what the agent says of itself; null when there is none, or it does not say
/// @param silence why it does not say; null when it does, or there is none
/// @param lastRun how the newest session ended; null while an agent is there, and when there was
///   none
public record StatusSnapshot(
    Presence presence,
    @Nullable String holder,
    @Nullable AgentStatus agent,
    @Nullable String silence,
    @Nullable LastRun lastRun,
    Totals totals,
    BufferView.Backlog backlog,
    SortedMap<Integer, Long> rejected,
    BufferView.Room room) {
  /// Whether there is an agent.
  enum Presence {
    /// It answers at its socket.
    RUNNING,
    /// Nobody answers, and somebody has the directory: an agent that starts or leaves, or a
    /// command.
    BUSY,
    /// There is none.
    ABSENT
  }

  public static StatusSnapshot of(Path directory)
      throws StorageException, IOException, InterruptedException {
    boolean answers = false;
    AgentStatus agent = null;
    String silence = null;
    if (Files.exists(DirectoryLayout.socket(directory))) {
      try (AgentClient client = AgentClient.connect(DirectoryLayout.socket(directory))) {
        if (client != null) {
          answers = true;
          agent = client.status();
        }
      } catch (StorageException refused) {
        silence = refused.getMessage();
      }
    }
    String holder = DirectoryLock.holder(directory);
    Presence presence =
        answers ? Presence.RUNNING : holder == null ? Presence.ABSENT : Presence.BUSY;
    try (BufferView buffer = BufferView.open(directory)) {
      return new StatusSnapshot(
          presence,
          holder,
          agent,
          silence,
          presence == Presence.ABSENT ? LastRun.of(directory) : null,
          buffer.totals(),
          buffer.backlog(),
          buffer.rejectedByStatus(),
          buffer.room());
    }
  }

  /// Seconds until nothing is pending, if all goes on as it does; null when that cannot be told.
  @Nullable Double drainedInSeconds() {
    if (backlog.records() == 0) {
      return 0.0;
    }
    if (agent == null || agent.serverHealth() != ServerHealth.UP) {
      return null;
    }
    double faster = agent.deliveredPerSecond() - agent.acceptedPerSecond();
    return faster > 0 ? backlog.records() / faster : null;
  }

  /// Whether records can be taken.
  AgentStatus.StorageState storage() {
    if (agent != null) {
      return agent.storageState();
    }
    return room.needed() == 0 ? AgentStatus.StorageState.OK : AgentStatus.StorageState.FULL;
  }

  public ExitCode exitCode() {
    if (storage() != AgentStatus.StorageState.OK) {
      return ExitCode.FATAL;
    }
    if (backlog.records() > 0 && presence == Presence.ABSENT) {
      return ExitCode.STOPPED;
    }
    return rejected.isEmpty() ? ExitCode.DONE : ExitCode.REJECTED;
  }
}
