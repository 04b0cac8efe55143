package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.agent.ExitCode;
import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.buffer.Sweep;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.UsageException;
import java.io.IOException;
import java.util.Map;

/// `echopost redrive`: gives rejected records another chance.
final class RedriveCommand implements OperatorCommand {
  @Override
  public String name() {
    return "redrive";
  }

  @Override
  public String summary() {
    return "put rejected records back behind all pending ones, to be delivered again";
  }

  @Override
  public String usage() {
    return """
    Puts rejected records back behind all pending ones, in the order in which they were rejected. The server sees them
    under the same idempotency keys as before. Records whose checksums do not match stay where they are.

    usage: echopost redrive -id N | -status S | -all [-datanadhi DIR]

    """
        + Selection.USAGE;
  }

  @Override
  public Map<String, Flags.Kind> flags() {
    return Selection.FLAGS;
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    Selection selection = Selection.of(arguments.flags());
    arguments.requireBuffer();
    SweepRun run =
        SweepRun.of(arguments.directory(), selection, Sweep.Action.REDRIVE, terminal.err());
    try {
      run.run();
    } finally {
      terminal.out().print(report(run, selection));
    }
    return ExitCode.DONE;
  }

  private static String report(SweepRun run, Selection selection) {
    if (run.count() == 0) {
      return run.damaged() > 0
          ? "nothing was put back\n"
          : "nothing to do: there is no rejected record " + selection + "\n";
    }
    return run.counted()
        + " put back; "
        + (run.byAgent()
            ? "the agent delivers them when the server is well\n"
            : "no agent lives: the next one that starts delivers them\n");
  }
}
