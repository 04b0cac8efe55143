package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.StatusSnapshot;
import com.datanadhi.echopost.operator.print.StatusText;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.StatusReader;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// `echopost status`: prints the state of the agent and of its buffer.
final class StatusCommand implements OperatorCommand {
  private static final Duration WATCH_INTERVAL = Duration.ofSeconds(2);
  private static final String CLEAR_SCREEN = "\u001b[2J";
  private static final String CURSOR_HOME = "\u001b[H";
  private static final String CLEAR_TO_END_OF_LINE = "\u001b[K";
  private static final String CLEAR_TO_END_OF_SCREEN = "\u001b[J";

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "status",
        "show whether an agent runs, what is pending, and when it will be delivered",
        """
        Shows whether an agent runs on DIR and since when, whether its server is up, how many records are pending and \
        rejected, the rates at which records are accepted and delivered (mean of the last minute), when all will be \
        delivered at these rates, the free disk space, and the ledger. Without an agent, the server's state and the rates \
        are unknown.

        The oldest record is the one that is delivered next. If more than 100,000 records are pending, their size in bytes \
        is an estimate.\
        """,
        List.of("[-watch] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.withoutValue("watch", "update every two seconds, until stopped by a signal"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "nothing to do"),
            new CommandSpec.ExitStatus(
                1,
                "the buffer cannot be used, records are refused (the disk is full or failing, or"
                    + " the buffer is locked), or the agent does not answer within 1.5 s"),
            new CommandSpec.ExitStatus(4, "records are pending and no agent runs: start one"),
            new CommandSpec.ExitStatus(5, "the server rejected records: see 'echopost rejected'")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    arguments.requireBuffer();
    if (!arguments.isOn("watch")) {
      StatusSnapshot status = StatusReader.read(arguments.directory());
      show(status, false, arguments, terminal);
      return status.exitCode();
    }
    boolean redraws = terminal.outIsTerminal() && !arguments.wantsJson();
    if (redraws) {
      terminal.out().print(CLEAR_SCREEN);
    }
    Waiter waiter = new Waiter();
    while (true) {
      show(StatusReader.read(arguments.directory()), redraws, arguments, terminal);
      if (!redraws && !arguments.wantsJson()) {
        terminal.out().println();
      }
      terminal.flush();
      waiter.await(WATCH_INTERVAL);
    }
  }

  private static void show(
      StatusSnapshot status, boolean redraws, Arguments arguments, Terminal terminal) {
    long nowMillis = Clock.system().millis();
    if (arguments.wantsJson()) {
      JsonOutput.print(terminal.out(), json -> StatusText.write(status, nowMillis, json));
      return;
    }
    String text = StatusText.of(status, nowMillis, terminal);
    terminal
        .out()
        .print(
            redraws
                ? CURSOR_HOME
                    + text.replace("\n", CLEAR_TO_END_OF_LINE + "\n")
                    + CLEAR_TO_END_OF_SCREEN
                : text);
  }
}
