package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.AnsiStyle;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.operator.run.RejectedSelection;
import com.datanadhi.echopost.record.RejectedBatch;
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

/// `echopost rejected`: lists what the server refused, or discards it for good.
final class RejectedCommand implements OperatorCommand {
  private static final String LINE = "%10s  %6s  %8s  %-20s  %9s  %s%n";

  @Override
  public CommandSpec manual() {
    List<Flag> flags =
        new ArrayList<>(
            List.of(
                Flag.toggle("discard", "delete them for good, after asking"),
                Flag.toggle("yes", "delete without asking")));
    flags.addAll(RejectedSelection.FLAGS);
    flags.addAll(List.of(SharedFlags.JSON, SharedFlags.DIRECTORY));
    return new CommandSpec(
        "rejected",
        "list the records that the server refused for good, or delete them",
        """
        Lists the records that the server refused for good, in the order in which it did: id, status and number of the \
        deliveries tried, when it was given up (UTC), the payload's size in bytes and its start. Shows no API keys.\
        """,
        List.of(
            "[-id N | -status S | -all] [-json] [-datanadhi DIR]",
            "-discard -id N | -status S | -all [-yes] [-json] [-datanadhi DIR]"),
        flags,
        null,
        List.of(
            new CommandSpec.Exit(0, "done, also when there was nothing to list or to delete"),
            SharedFlags.UNUSABLE));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    if (arguments.isOn("discard")) {
      RejectedSelection selection = RejectedSelection.of(arguments);
      UnaryOperator<String> ask = terminal.ask();
      if (ask == null && !arguments.isOn("yes")) {
        throw new UsageException(
            "-discard asks before it deletes, and here is no terminal to ask on: say -yes");
      }
      arguments.requireBuffer();
      // Before asking: what is rejected while the question stands is not what was agreed to.
      RejectedBatchRun discard =
          RejectedBatchRun.of(
              arguments.directory(), selection, RejectedBatch.Action.DISCARD, terminal);
      if (ask == null || arguments.isOn("yes") || agrees(ask, arguments.directory(), selection)) {
        discard(discard, arguments, selection, terminal);
      } else {
        terminal.out().print("nothing was deleted\n");
      }
    } else if (arguments.isOn("yes")) {
      throw new UsageException("-yes goes with -discard alone");
    } else {
      RejectedSelection selection = RejectedSelection.orAll(arguments);
      arguments.requireBuffer();
      list(arguments, selection, terminal);
    }
    return ExitCode.DONE;
  }

  private static void list(Arguments arguments, RejectedSelection selection, Terminal terminal)
      throws StorageException, IOException {
    PrintStream out = terminal.out();
    boolean any = arguments.wantJson();
    try (RejectedList list = RejectedList.open(arguments.directory())) {
      for (List<RejectedList.Summary> page = list.after(0);
          !page.isEmpty();
          page = list.after(page.getLast().id())) {
        for (RejectedList.Summary entry : page) {
          if (selection.covers(entry)) {
            if (arguments.wantJson()) {
              JsonOutput.print(out, json -> write(entry, json));
              continue;
            }
            if (!any) {
              out.print(
                  terminal.paint(
                      AnsiStyle.STRONG,
                      LINE.formatted(
                          "id", "status", "attempts", "rejected (UTC)", "bytes", "payload")));
              any = true;
            }
            out.printf(
                LINE,
                entry.id(),
                entry.status(),
                entry.attempts(),
                Instant.ofEpochMilli(entry.rejectedAt()).truncatedTo(ChronoUnit.SECONDS),
                entry.bytes(),
                Terminal.plain(entry.start()));
          }
        }
        // Who reads it may have had enough.
        terminal.flush();
      }
    }
    if (!any) {
      out.print("there is no rejected record " + selection + "\n");
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

  private static boolean agrees(
      UnaryOperator<String> ask, Path directory, RejectedSelection selection)
      throws StorageException {
    long found = 0;
    try (RejectedList list = RejectedList.open(directory)) {
      for (List<RejectedList.Summary> page = list.after(0);
          !page.isEmpty();
          page = list.after(page.getLast().id())) {
        found += page.stream().filter(selection::covers).count();
      }
    }
    return found == 0
        || ask.apply("Delete " + RejectedBatchRun.records(found) + " for good? [y/N] ")
            .strip()
            .toLowerCase(Locale.ROOT)
            .matches("y|yes");
  }

  private static void discard(
      RejectedBatchRun run, Arguments arguments, RejectedSelection selection, Terminal terminal)
      throws StorageException, IOException, InterruptedException {
    run.run();
    if (arguments.wantJson()) {
      JsonOutput.print(terminal.out(), json -> json.writeNumberProperty("discarded", run.count()));
      return;
    }
    terminal
        .out()
        .print(
            run.count() == 0
                ? "nothing to do: there is no rejected record " + selection + "\n"
                : run.counted() + " deleted for good\n");
  }
}
