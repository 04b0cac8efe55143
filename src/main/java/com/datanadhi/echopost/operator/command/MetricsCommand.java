package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.AgentClient;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `echopost metrics`: what the agent measures, for Prometheus.
final class MetricsCommand implements OperatorCommand {
  private static final String OPEN_METRICS = "openmetrics";

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "metrics",
        "print what the agent measures, for Prometheus",
        """
        Prints the living agent's metrics in Prometheus' text format, each with what it means. Without an agent it prints \
        what the buffer itself shows: how much is pending, since when, and the room on the disk; echopost_up is 0 then.

        An agent leaves its last metrics in its session's directory, as metrics.prom, and with ECHOPOST_TEXTFILE_DIR set \
        it writes them for node_exporter's textfile collector.\
        """,
        List.of("[-openmetrics] [-datanadhi DIR]"),
        List.of(Flag.toggle(OPEN_METRICS, "in OpenMetrics 1.0 instead"), SharedFlags.DIRECTORY),
        null,
        List.of(new CommandSpec.Exit(0, "done, with an agent or without"), SharedFlags.UNUSABLE));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    arguments.requireBuffer();
    boolean openMetrics = arguments.isOn(OPEN_METRICS);
    @Nullable String text = ofAgent(arguments.directory(), openMetrics);
    terminal.out().print(text == null ? ofBuffer(arguments.directory(), openMetrics) : text);
    return ExitCode.DONE;
  }

  private static @Nullable String ofAgent(Path directory, boolean openMetrics)
      throws StorageException, InterruptedException {
    try (AgentClient agent = AgentClient.connect(DirectoryLayout.socket(directory))) {
      return agent == null ? null : agent.metrics(openMetrics);
    }
  }

  private static String ofBuffer(Path directory, boolean openMetrics)
      throws StorageException, IOException {
    Exposition out = Exposition.ofAgent(directory, openMetrics, false);
    try (BufferView buffer = BufferView.open(directory)) {
      buffer.writeTo(out, Clock.system().millis());
    }
    return out.text();
  }
}
