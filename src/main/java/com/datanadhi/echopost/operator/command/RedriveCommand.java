package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.operator.run.RejectedSelection;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// `echopost redrive`: makes rejected records pending again.
final class RedriveCommand implements OperatorCommand {
  @Override
  public CommandSpec spec() {
    List<Flag> flags = new ArrayList<>(RejectedFlags.FLAGS);
    flags.addAll(List.of(SharedFlags.JSON, SharedFlags.DIRECTORY));
    return new CommandSpec(
        "redrive",
        "make rejected records pending again, after all other pending records",
        """
        Makes rejected records pending again, after all other pending records, in the order of their rejection. They are \
        sent under the same idempotency keys as before. Records whose checksum does not match stay rejected.\
        """,
        List.of("-id N | -status S | -all [-json] [-datanadhi DIR]"),
        flags,
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "done, even if there is nothing to do"),
            new CommandSpec.ExitStatus(
                1,
                "the buffer cannot be used; records that were redriven before the error stay"
                    + " pending")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    RejectedSelection selection = RejectedFlags.selection(arguments);
    arguments.requireBuffer();
    RejectedBatchRun run =
        RejectedBatchRun.of(
            arguments.directory(), selection, RejectedRange.Action.REDRIVE, terminal);
    run.run();
    if (arguments.wantsJson()) {
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
          ? "no record was redriven\n"
          : "nothing to do: " + selection.noneFound() + "\n";
    }
    return run.countText() + " redriven; " + DeliveryForecast.of(run.byAgent()) + "\n";
  }
}
