package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.AnsiStyle;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Quantities;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.operator.run.RejectedSelection;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import tools.jackson.core.JsonGenerator;

/// `echopost rejected`: lists or deletes rejected records.
final class RejectedCommand implements OperatorCommand {
  private static final String ROW = "%10s  %6s  %8s  %-20s  %9s  %s%n";

  @Override
  public CommandSpec spec() {
    List<Flag> flags =
        new ArrayList<>(
            List.of(
                Flag.withoutValue(
                    "discard", "delete the selected records permanently, after a confirmation"),
                Flag.withoutValue("yes", "delete without a confirmation")));
    flags.addAll(RejectedFlags.FLAGS);
    flags.addAll(List.of(SharedFlags.JSON, SharedFlags.DIRECTORY));
    return new CommandSpec(
        "rejected",
        "list the records that the server rejected, or delete them",
        """
        Lists the rejected records in the order of their rejection: the id, the HTTP status, the number of delivery \
        attempts, the time of the rejection (UTC), the size of the payload in bytes, and its start. API keys are not shown. \
        Rejected records are not delivered again unless 'echopost redrive' makes them pending.\
        """,
        List.of(
            "[-id N | -status S | -all] [-json] [-datanadhi DIR]",
            "-discard -id N | -status S | -all [-yes] [-json] [-datanadhi DIR]"),
        flags,
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "done, even if there is nothing to list or to delete"),
            SharedExitStatuses.BUFFER_UNUSABLE));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    if (arguments.isOn("discard")) {
      RejectedSelection selection = RejectedFlags.selection(arguments);
      UnaryOperator<String> prompt = terminal.prompt();
      if (prompt == null && !arguments.isOn("yes")) {
        throw new UsageException(
            "-discard needs a confirmation, and there is no terminal to ask for it: add -yes");
      }
      arguments.requireBuffer();
      // Created before the prompt, since a confirmation does not include records that are rejected
      // after it was asked for.
      RejectedBatchRun discard =
          RejectedBatchRun.of(
              arguments.directory(), selection, RejectedRange.Action.DISCARD, terminal);
      if (prompt == null
          || arguments.isOn("yes")
          || isConfirmed(prompt, arguments.directory(), selection)) {
        discard(discard, arguments, selection, terminal);
      } else {
        terminal.out().print("nothing was deleted\n");
      }
    } else if (arguments.isOn("yes")) {
      throw new UsageException("-yes is valid only with -discard");
    } else {
      RejectedSelection selection = RejectedFlags.selectionOrAll(arguments);
      arguments.requireBuffer();
      list(arguments, selection, terminal);
    }
    return ExitCode.DONE;
  }

  private static void list(Arguments arguments, RejectedSelection selection, Terminal terminal)
      throws StorageException, IOException {
    PrintStream out = terminal.out();
    boolean headerPrinted = arguments.wantsJson();
    try (RejectedList list = RejectedList.open(arguments.directory())) {
      for (List<RejectedList.Summary> page = list.after(0);
          !page.isEmpty();
          page = list.after(page.getLast().id())) {
        for (RejectedList.Summary entry : page) {
          if (selection.contains(entry)) {
            if (arguments.wantsJson()) {
              JsonOutput.print(out, json -> write(entry, json));
              continue;
            }
            if (!headerPrinted) {
              out.print(
                  terminal.styled(
                      AnsiStyle.BOLD,
                      ROW.formatted(
                          "id", "status", "attempts", "rejected (UTC)", "bytes", "payload")));
              headerPrinted = true;
            }
            out.printf(
                ROW,
                entry.id(),
                entry.status(),
                entry.attempts(),
                Instant.ofEpochMilli(entry.rejectedAt()).truncatedTo(ChronoUnit.SECONDS),
                entry.bytes(),
                Terminal.withoutControls(entry.start()));
          }
        }
        // Ends the command if the reader has closed the pipe.
        terminal.flush();
      }
    }
    if (!headerPrinted) {
      out.print(selection.noneFound() + "\n");
    }
  }

  private static void write(RejectedList.Summary entry, JsonGenerator json) {
    json.writeNumberProperty("id", entry.id());
    json.writeNumberProperty("status", entry.status());
    json.writeNumberProperty("attempts", entry.attempts());
    json.writeNumberProperty("rejected_at", entry.rejectedAt());
    json.writeNumberProperty("bytes", entry.bytes());
    json.writeStringProperty("payload_start", entry.start());
  }

  private static boolean isConfirmed(
      UnaryOperator<String> prompt, Path directory, RejectedSelection selection)
      throws StorageException {
    long found = 0;
    try (RejectedList list = RejectedList.open(directory)) {
      for (List<RejectedList.Summary> page = list.after(0);
          !page.isEmpty();
          page = list.after(page.getLast().id())) {
        found += page.stream().filter(selection::contains).count();
      }
    }
    return found == 0
        || prompt
            .apply("Delete " + Quantities.records(found) + " permanently? [y/N] ")
            .strip()
            .toLowerCase(Locale.ROOT)
            .matches("y|yes");
  }

  private static void discard(
      RejectedBatchRun run, Arguments arguments, RejectedSelection selection, Terminal terminal)
      throws StorageException, IOException, InterruptedException {
    run.run();
    if (arguments.wantsJson()) {
      JsonOutput.print(terminal.out(), json -> json.writeNumberProperty("discarded", run.count()));
      return;
    }
    terminal
        .out()
        .print(
            run.count() == 0
                ? "nothing to do: " + selection.noneFound() + "\n"
                : run.countText() + " deleted permanently\n");
  }
}
