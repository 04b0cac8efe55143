package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.control.AgentStatus.StorageState;
import com.datanadhi.echopost.directory.DirectoryLayout;
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

/// `echopost health`: whether records are kept and on their way, for probes.
final class HealthCommand implements OperatorCommand {
  private static final String OK = "ok";

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "health",
        "say whether records are kept and on their way, for probes",
        """
        Prints one JSON object: status, components (an object of storage, server and disk), and lag_ms.

        storage is ok, full or failed; server is up, down or unknown (without an agent, nobody looks); disk is ok, \
        full when there is too little room to take records, or unknown; lag_ms is the age of the record that is delivered next, 0 \
        when none is pending, and null when that cannot be told. status is ok or failing. A main server that is down is no \
        failure: to keep records meanwhile is what the agent is for.

        Without an agent it is ok when nothing is pending, since agents leave when they are done, and failing when records \
        wait with nobody to deliver them.\
        """,
        List.of("[-json] [-datanadhi DIR]"),
        List.of(SharedFlags.ALWAYS_JSON, SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.Exit(0, "ok"),
            new CommandSpec.Exit(
                1,
                "failing: the storage or the disk does not take records, the agent does not answer,"
                    + " or records wait without an agent")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    arguments.requireBuffer();
    Path directory = arguments.directory();
    StorageState storage = StorageState.OK;
    ServerHealth server = ServerHealth.UNKNOWN;
    boolean isServed = false;
    try (AgentClient agent = AgentClient.connect(DirectoryLayout.socket(directory))) {
      @Nullable AgentStatus status = agent == null ? null : agent.status();
      if (status != null) {
        storage = status.storageState();
        server = status.serverHealth();
        isServed = true;
      }
    } catch (StorageException noAnswer) {
      storage = failed(noAnswer, terminal);
    }
    String disk = "unknown";
    @Nullable Long lag = null;
    try (BufferView buffer = BufferView.open(directory)) {
      disk = buffer.room().needed() == 0 ? OK : "full";
      @Nullable Long next = buffer.nextReceivedAt();
      lag = next == null ? 0 : Math.max(0, Clock.system().millis() - next);
      if (next != null && !isServed && storage == StorageState.OK) {
        terminal.err().println("no agent lives, and records wait: start one");
      }
      isServed |= next == null;
    } catch (StorageException | IOException unreadable) {
      storage = failed(unreadable, terminal);
    }
    boolean isWell = isServed && disk.equals(OK) && storage == StorageState.OK;
    print(terminal, isWell, storage, server, disk, lag);
    return isWell ? ExitCode.DONE : ExitCode.FATAL;
  }

  private static StorageState failed(Exception why, Terminal terminal) {
    terminal.err().println(Terminal.plain(String.valueOf(why.getMessage())));
    return StorageState.FAILED;
  }

  private static void print(
      Terminal terminal,
      boolean isWell,
      StorageState storage,
      ServerHealth server,
      String disk,
      @Nullable Long lag) {
    JsonOutput.print(
        terminal.out(),
        json -> {
          json.writeStringProperty("status", isWell ? OK : "failing");
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
