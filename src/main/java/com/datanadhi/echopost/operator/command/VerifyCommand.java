package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferCheck;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.AnsiStyle;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.LedgerText;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.Quantities;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// `echopost verify`: checks the whole buffer and prints the problems with it.
final class VerifyCommand implements OperatorCommand {
  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "verify",
        "check the whole buffer, and print each problem and how to fix it",
        """
        Reads the whole buffer without changing it. Runs SQLite's integrity check, checks each record's checksum, looks \
        for missing ids of pending records, and compares the ledger with the rows. Prints each problem, and the action that \
        fixes it.

        The command may run beside an agent. If the agent is so busy that a check would let the write-ahead log grow beyond \
        its limit, SQLite's integrity check or the comparison of the ledger is stopped; all other checks are completed.\
        """,
        List.of("[-json] [-datanadhi DIR]"),
        List.of(SharedFlags.JSON, SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "no problem was found"),
            new CommandSpec.ExitStatus(1, "a problem was found, or the buffer cannot be read"),
            new CommandSpec.ExitStatus(
                3,
                "no problem was found, but a check was stopped because the agent was busy: try"
                    + " again when no agent runs")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException {
    arguments.requireBuffer();
    ProgressLine progress = new ProgressLine(terminal, Clock.system());
    BufferCheck.Result report =
        BufferCheck.run(
            arguments.directory(),
            checked -> progress.update(Quantities.records(checked) + " checked so far"));
    if (arguments.wantsJson()) {
      JsonOutput.print(terminal.out(), json -> write(report, arguments.directory(), json));
    } else {
      print(report, arguments.directory(), terminal);
    }
    if (!report.isSound()) {
      return ExitCode.FATAL;
    }
    return report.unfinished().isEmpty() ? ExitCode.DONE : ExitCode.OWNED;
  }

  private static void print(BufferCheck.Result report, Path directory, Terminal terminal) {
    PrintStream out = terminal.out();
    for (BufferCheck.Problem problem : report.problems()) {
      out.println(terminal.styled(AnsiStyle.RED, Terminal.withoutControls(problem.description())));
      out.println("  action: " + action(problem, directory));
    }
    if (report.more() > 0) {
      out.println(terminal.styled(AnsiStyle.RED, "and " + report.more() + " more"));
    }
    for (String check : report.unfinished()) {
      out.println(
          terminal.styled(
              AnsiStyle.YELLOW,
              check + " was stopped because the agent is busy: try again when no agent runs"));
    }
    @Nullable Totals totals = report.totals();
    if (totals != null) {
      out.println(LedgerText.text(totals));
    }
    out.print(Quantities.records(report.checked()) + " checked: ");
    if (!report.isSound()) {
      out.println(terminal.styled(AnsiStyle.RED, "the buffer has problems"));
    } else if (report.unfinished().isEmpty()) {
      out.println(terminal.styled(AnsiStyle.GREEN, "no problem found"));
    } else {
      out.println(
          terminal.styled(AnsiStyle.YELLOW, "no problem found, but not everything was checked"));
    }
  }

  private static void write(BufferCheck.Result report, Path directory, JsonGenerator json) {
    json.writeBooleanProperty("sound", report.isSound());
    json.writeBooleanProperty("complete", report.unfinished().isEmpty());
    json.writeNumberProperty("checked", report.checked());
    json.writeName("problems");
    json.writeStartArray();
    for (BufferCheck.Problem problem : report.problems()) {
      json.writeStartObject();
      json.writeStringProperty("kind", JsonOutput.name(problem.kind()));
      if (problem.id() != 0) {
        json.writeNumberProperty("id", problem.id());
      }
      json.writeStringProperty("what", problem.description());
      json.writeStringProperty("action", action(problem, directory));
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNumberProperty("more_problems", report.more());
    json.writeName("unfinished");
    json.writeStartArray();
    report.unfinished().forEach(json::writeString);
    json.writeEndArray();
    @Nullable Totals totals = report.totals();
    if (totals != null) {
      LedgerText.write(totals, json);
    }
  }

  private static String action(BufferCheck.Problem problem, Path directory) {
    String directoryFlag = " -datanadhi " + directory;
    return switch (problem.kind()) {
      case FILE ->
          "when no agent runs: mkdir %1$s/damaged && mv %1$s/buffer.db %1$s/buffer.db-* %1$s/damaged && echopost salvage %1$s/damaged/buffer.db%2$s"
              .formatted(directory, directoryFlag);
      case SALVAGE -> "start an agent, which continues the salvage: echopost" + directoryFlag;
      case LEDGER -> "start an agent, which corrects the ledger: echopost" + directoryFlag;
      case PENDING_RECORD ->
          "nothing to do now: the agent will reject the record with status 0; after that: echopost"
              + " rejected -discard -id "
              + problem.id()
              + directoryFlag;
      case REJECTED_RECORD -> "echopost rejected -discard -id " + problem.id() + directoryFlag;
    };
  }
}
