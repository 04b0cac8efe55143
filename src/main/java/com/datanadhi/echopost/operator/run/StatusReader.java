package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.directory.Sessions;
import com.datanadhi.echopost.directory.Workspace;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.operator.print.LastRun;
import com.datanadhi.echopost.operator.print.LogEvent;
import com.datanadhi.echopost.operator.print.StatusSnapshot;
import com.datanadhi.echopost.operator.print.StatusSnapshot.Presence;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Collects a [StatusSnapshot] from the agent, the buffer and the session logs.
public final class StatusReader {
  /// More than the last event of a log takes.
  private static final int TAIL_BYTES = 1 << 14;

  private StatusReader() {}

  /// Reads the status of `directory`.
  ///
  /// @throws StorageException if there is no buffer, or it cannot be read
  public static StatusSnapshot read(Path directory)
      throws StorageException, IOException, InterruptedException {
    Presence answered = null;
    AgentStatus agent = null;
    String problem = null;
    try (AgentClient client = AgentClient.connect(directory)) {
      if (client != null) {
        answered = Presence.RUNNING;
        agent = client.status();
      }
    } catch (NoAnswerException silent) {
      answered = Presence.UNRESPONSIVE;
      problem = silent.getMessage();
    } catch (StorageException failed) {
      problem = failed.getMessage();
    }
    String lockHolder = DirectoryLock.holder(directory);
    Presence presence =
        answered != null ? answered : lockHolder == null ? Presence.ABSENT : Presence.BUSY;
    try (BufferView buffer = BufferView.open(directory)) {
      return new StatusSnapshot(
          presence,
          lockHolder,
          agent,
          problem,
          presence == Presence.ABSENT ? lastRun(directory) : null,
          buffer.totals(),
          buffer.backlog(),
          buffer.rejectedByStatus(),
          buffer.diskSpace());
    }
  }

  private static @Nullable LastRun lastRun(Path directory) throws IOException {
    List<Path> sessions = Sessions.list(directory);
    if (sessions.isEmpty()) {
      return null;
    }
    Path newest = sessions.getLast();
    String endedAt = "";
    Integer exitCode = null;
    for (String line : tail(newest.resolve(DirectoryLayout.LOG)).split("\n", -1)) {
      LogEvent event = LogEvent.parse(line);
      if (event != null && event.is(EventNames.AGENT_STOPPED)) {
        endedAt = event.get("time");
        exitCode = Integer.valueOf(event.get("exit_code"));
      }
    }
    return new LastRun(
        String.valueOf(newest.getFileName()),
        endedAt,
        exitCode,
        Files.exists(newest.resolve(DirectoryLayout.CRASH_REPORT)),
        exitCode == null ? Workspace.obstacleToWriting(directory) : null);
  }

  private static String tail(Path log) throws IOException {
    if (!Files.exists(log)) {
      return "";
    }
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(Math.max(0, file.length() - TAIL_BYTES));
      byte[] tail = new byte[(int) (file.length() - file.getFilePointer())];
      file.readFully(tail);
      return new String(tail, StandardCharsets.UTF_8);
    }
  }
}
