package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.AgentClient;
import com.datanadhi.echopost.operator.run.NoAnswerException;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `echopost metrics`: prints the metrics of the agent, for Prometheus.
final class MetricsCommand implements OperatorCommand {
  private static final String OPEN_METRICS = "openmetrics";

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "metrics",
        "print the metrics of the agent, for Prometheus",
        """
        Prints the metrics of the running agent in Prometheus' text format, each with a description. Without an agent, or \
        if it does not answer within 1.5 s, prints the metrics that the buffer itself provides: the number of pending \
        records, the age of the oldest, and the free disk space; echopost_up is 0 then.

        An agent writes its last metrics to metrics.prom in the directory of its session. If ECHOPOST_TEXTFILE_DIR is set, \
        it also writes them for node_exporter's textfile collector.\
        """,
        List.of("[-openmetrics] [-datanadhi DIR]"),
        List.of(
            Flag.withoutValue(OPEN_METRICS, "print OpenMetrics 1.0 instead"),
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "printed, with or without an agent"),
            SharedExitStatuses.BUFFER_UNUSABLE));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    arguments.requireBuffer();
    boolean openMetrics = arguments.isOn(OPEN_METRICS);
    @Nullable String text = fromAgent(arguments.directory(), openMetrics, terminal);
    terminal.out().print(text == null ? fromBuffer(arguments.directory(), openMetrics) : text);
    return ExitCode.DONE;
  }

  /// @return null if no agent answers
  private static @Nullable String fromAgent(Path directory, boolean openMetrics, Terminal terminal)
      throws StorageException, IOException, InterruptedException {
    try (AgentClient agent = AgentClient.connect(directory)) {
      return agent == null ? null : agent.metrics(openMetrics);
    } catch (NoAnswerException silent) {
      terminal.printError(String.valueOf(silent.getMessage()));
      return null;
    }
  }

  private static String fromBuffer(Path directory, boolean openMetrics)
      throws StorageException, IOException {
    Exposition out = Exposition.ofAgent(directory, openMetrics, false);
    try (BufferView buffer = BufferView.open(directory)) {
      buffer.writeTo(out, Clock.system().millis());
    }
    return out.text();
  }
}
