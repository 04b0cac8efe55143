package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.operator.run.RejectedSelection;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// `echopost redrive`: gives rejected records another chance.
final class RedriveCommand implements OperatorCommand {
  @Override
  public CommandSpec manual() {
    List<Flag> flags = new ArrayList<>(RejectedSelection.FLAGS);
    flags.addAll(List.of(SharedFlags.JSON, SharedFlags.DIRECTORY));
    return new CommandSpec(
        "redrive",
        "put rejected records back behind all pending ones, to be delivered again",
        """
        Puts rejected records back behind all pending ones, in the order in which they were rejected. The server sees \
        them under the same idempotency keys as before. Records whose checksums do not match stay where they are.\
        """,
        List.of("-id N | -status S | -all [-json] [-datanadhi DIR]"),
        flags,
        null,
        List.of(
            new CommandSpec.Exit(0, "done, also when there was nothing to do"),
            new CommandSpec.Exit(
                1, "the buffer cannot be used; what was put back is said, and stays so")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    RejectedSelection selection = RejectedSelection.of(arguments);
    arguments.requireBuffer();
    RejectedBatchRun run =
        RejectedBatchRun.of(
            arguments.directory(), selection, RejectedBatch.Action.REDRIVE, terminal);
    run.run();
    if (arguments.wantJson()) {
      JsonOutput.print(
          terminal.out(),
          json -> {
            json.writeNumberProperty("redriven", run.count());
            json.writeNumberProperty("damaged", run.damaged());
            json.writeBooleanProperty("by_agent", run.byAgent());
          });
    } else {
      terminal.out().print(report(run, selection));
    }
    return ExitCode.DONE;
  }

  private static String report(RejectedBatchRun run, RejectedSelection selection) {
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
