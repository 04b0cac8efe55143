package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.agent.ExitCode;
import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.buffer.Sweep;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/// `echopost rejected`: lists what the server refused, or discards it for good.
final class RejectedCommand implements OperatorCommand {
  private static final Pattern CONTROLS =
      Pattern.compile("\\p{Cntrl}", Pattern.UNICODE_CHARACTER_CLASS);
  private static final String LINE = "%10s  %6s  %8s  %-20s  %9s  %s%n";

  @Override
  public String name() {
    return "rejected";
  }

  @Override
  public String summary() {
    return "list the records that the server refused for good, or delete them";
  }

  @Override
  public String usage() {
    return """
    Lists the records that the server refused for good, in the order in which it did: id, status and number of the
    deliveries tried, when it was given up (UTC), the payload's size in bytes and its start. Shows no keys.

    usage: echopost rejected [-id N | -status S | -all] [-datanadhi DIR]
           echopost rejected -discard -id N | -status S | -all [-yes] [-datanadhi DIR]

      -discard          delete them for good, after asking
      -yes              delete without asking
    """
        + Selection.USAGE;
  }

  @Override
  public Map<String, Flags.Kind> flags() {
    return Selection.flagsAnd(Map.of("discard", Flags.Kind.SWITCH, "yes", Flags.Kind.SWITCH));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    Flags.Parsed flags = arguments.flags();
    if (flags.isOn("discard")) {
      Selection selection = Selection.of(flags);
      UnaryOperator<String> ask = terminal.ask();
      if (ask == null && !flags.isOn("yes")) {
        throw new UsageException(
            "-discard asks before it deletes, and here is no terminal to ask on: say -yes");
      }
      arguments.requireBuffer();
      if (ask == null || flags.isOn("yes") || agrees(ask, arguments.directory(), selection)) {
        discard(arguments.directory(), selection, terminal);
      } else {
        terminal.out().print("nothing was deleted\n");
      }
    } else if (flags.isOn("yes")) {
      throw new UsageException("-yes goes with -discard alone");
    } else {
      Selection selection = Selection.orAll(flags);
      arguments.requireBuffer();
      list(arguments.directory(), selection, terminal);
    }
    return ExitCode.DONE;
  }

  private static void list(Path directory, Selection selection, Terminal terminal)
      throws StorageException, IOException {
    PrintStream out = terminal.out();
    boolean any = false;
    try (RejectedList list = RejectedList.open(directory)) {
      for (List<RejectedList.Entry> page = list.after(0);
          !page.isEmpty();
          page = list.after(page.getLast().id())) {
        for (RejectedList.Entry entry : page) {
          if (selection.covers(entry)) {
            if (!any) {
              out.printf(LINE, "id", "status", "attempts", "rejected (UTC)", "bytes", "payload");
              any = true;
            }
            out.printf(
                LINE,
                entry.id(),
                entry.status(),
                entry.attempts(),
                Instant.ofEpochMilli(entry.rejectedAt()).truncatedTo(ChronoUnit.SECONDS),
                entry.bytes(),
                // Nothing in it may steer the terminal.
                CONTROLS.matcher(entry.start()).replaceAll(" "));
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

  private static boolean agrees(UnaryOperator<String> ask, Path directory, Selection selection)
      throws StorageException {
    long found = 0;
    try (RejectedList list = RejectedList.open(directory)) {
      for (List<RejectedList.Entry> page = list.after(0);
          !page.isEmpty();
          page = list.after(page.getLast().id())) {
        found += page.stream().filter(selection::covers).count();
      }
    }
    return found == 0
        || ask.apply("Delete " + SweepRun.records(found) + " for good? [y/N] ")
            .strip()
            .toLowerCase(Locale.ROOT)
            .matches("y|yes");
  }

  private static void discard(Path directory, Selection selection, Terminal terminal)
      throws StorageException, IOException, InterruptedException {
    SweepRun run = SweepRun.of(directory, selection, Sweep.Action.DISCARD, terminal.err());
    try {
      run.run();
    } finally {
      terminal
          .out()
          .print(
              run.count() == 0
                  ? "nothing to do: there is no rejected record " + selection + "\n"
                  : run.counted() + " deleted for good\n");
    }
  }
}
