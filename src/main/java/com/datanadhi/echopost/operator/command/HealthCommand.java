package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.AgentStatus.StorageState;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.AgentClient;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `echopost health`: prints whether records are accepted and delivered, for probes.
final class HealthCommand implements OperatorCommand {
  private static final String OK = "ok";

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "health",
        "print whether records are accepted and delivered, for probes",
        """
        Prints one JSON object: status, components (an object with storage, server and disk), and lag_ms.

        status is ok or failing; storage is ok, full, failed, or blocked while calls wait or fail because another process \
        locks the buffer or the disk hangs; server is up, down or unknown (always unknown without an \
        agent); disk is ok, full if there is too little free space to accept records, or unknown. lag_ms is the age of the \
        record that is delivered next, in milliseconds: 0 if no record is pending, null if it is unknown. While the main \
        server is down the status is ok, since the agent stores the records.

        Without an agent, the status is ok if no record is pending, since an agent exits when it has delivered everything, \
        and failing if records are pending.\
        """,
        List.of("[-json] [-datanadhi DIR]"),
        List.of(SharedFlags.JSON_ALWAYS, SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "ok"),
            new CommandSpec.ExitStatus(
                1,
                "failing: records wait or are refused because of the storage or the disk, the agent"
                    + " does not answer within 1.5 s, or records are pending without an agent")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    arguments.requireBuffer();
    Path directory = arguments.directory();
    StorageState storage = StorageState.OK;
    ServerHealth server = ServerHealth.UNKNOWN;
    boolean agentAnswers = false;
    try (AgentClient agent = AgentClient.connect(directory)) {
      @Nullable AgentStatus status = agent == null ? null : agent.status();
      if (status != null) {
        storage = status.storageState();
        server = status.serverHealth();
        agentAnswers = true;
        if (!status.storageProblem().isEmpty()) {
          terminal.printError(Terminal.withoutControls(status.storageProblem()));
        }
      }
    } catch (StorageException unanswered) {
      storage = failed(unanswered, terminal);
    }
    boolean needsAgent = false;
    String disk = "unknown";
    @Nullable Long lag = null;
    try (BufferView buffer = BufferView.open(directory)) {
      disk = buffer.diskSpace().needed() == 0 ? OK : "full";
      @Nullable Long next = buffer.nextReceivedAt();
      lag = next == null ? 0 : Math.max(0, Clock.system().millis() - next);
      needsAgent = next != null && !agentAnswers;
      if (needsAgent && storage == StorageState.OK) {
        terminal.printError("records are pending and no agent is running: start one");
      }
    } catch (StorageException | IOException unreadable) {
      storage = failed(unreadable, terminal);
    }
    boolean isHealthy = !needsAgent && disk.equals(OK) && storage == StorageState.OK;
    print(terminal, isHealthy, storage, server, disk, lag);
    return isHealthy ? ExitCode.DONE : ExitCode.FATAL;
  }

  private static StorageState failed(Exception why, Terminal terminal) {
    terminal.printError(Terminal.withoutControls(String.valueOf(why.getMessage())));
    return StorageState.FAILED;
  }

  private static void print(
      Terminal terminal,
      boolean isHealthy,
      StorageState storage,
      ServerHealth server,
      String disk,
      @Nullable Long lag) {
    JsonOutput.print(
        terminal.out(),
        json -> {
          json.writeStringProperty("status", isHealthy ? OK : "failing");
          json.writeObjectPropertyStart("components");
          json.writeStringProperty("storage", JsonOutput.name(storage));
          json.writeStringProperty("server", JsonOutput.name(server));
          json.writeStringProperty("disk", disk);
          json.writeEndObject();
          if (lag == null) {
            json.writeNullProperty("lag_ms");
          } else {
            json.writeNumberProperty("lag_ms", lag);
          }
        });
  }
}
