package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.StatusSnapshot;
import com.datanadhi.echopost.operator.print.StatusText;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// `echopost status`: how the agent and its buffer are.
final class StatusCommand implements OperatorCommand {
  private static final Duration REDRAW = Duration.ofSeconds(2);
  private static final String CLEAR = "\u001b[2J";
  private static final String HOME = "\u001b[H";
  private static final String END_OF_LINE = "\u001b[K";
  private static final String END_OF_SCREEN = "\u001b[J";

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "status",
        "say whether an agent runs, what is pending, and when it will be delivered",
        """
        Says whether an agent runs on DIR and since when, how its server is, what is pending and rejected, how fast records \
        come and go (the mean of the last minute), when all will be delivered at these rates, how much room the disk has, \
        and what the ledger adds up to. Without an agent the server and the rates are not known.

        The oldest record is the one that is delivered next. Of more than 100,000 pending records the bytes are an \
        estimate.\
        """,
        List.of("[-watch] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.toggle("watch", "look again every two seconds, until stopped by a signal"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.Exit(0, "nothing needs doing"),
            new CommandSpec.Exit(
                1, "the buffer cannot be used, or takes no records: the disk is full, or fails"),
            new CommandSpec.Exit(4, "records are pending, and no agent runs: start one"),
            new CommandSpec.Exit(
                5, "the server refused records for good: look at 'echopost rejected'")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    arguments.requireBuffer();
    if (!arguments.isOn("watch")) {
      StatusSnapshot now = StatusSnapshot.of(arguments.directory());
      show(now, false, arguments, terminal);
      return now.exitCode();
    }
    boolean redraws = terminal.outIsScreen() && !arguments.wantJson();
    if (redraws) {
      terminal.out().print(CLEAR);
    }
    Waiter waiter = new Waiter();
    while (true) {
      show(StatusSnapshot.of(arguments.directory()), redraws, arguments, terminal);
      if (!redraws && !arguments.wantJson()) {
        terminal.out().println();
      }
      terminal.flush();
      waiter.await(REDRAW);
    }
  }

  private static void show(
      StatusSnapshot now, boolean redraws, Arguments arguments, Terminal terminal) {
    long millis = Clock.system().millis();
    if (arguments.wantJson()) {
      JsonOutput.print(terminal.out(), json -> StatusText.write(now, millis, json));
      return;
    }
    String text = StatusText.of(now, millis, terminal);
    terminal
        .out()
        .print(redraws ? HOME + text.replace("\n", END_OF_LINE + "\n") + END_OF_SCREEN : text);
  }
}
