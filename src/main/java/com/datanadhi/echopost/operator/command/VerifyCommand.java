package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferCheck;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.AnsiStyle;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.LedgerText;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// `echopost verify`: reads the whole buffer and says what is wrong with it.
final class VerifyCommand implements OperatorCommand {
  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "verify",
        "read the whole buffer, and say what is wrong and how to mend it",
        """
        Reads the whole buffer and changes nothing: SQLite's integrity check, each record's checksum, the ids of what is \
        pending, and the ledger against the rows. Says what is wrong, and which command mends it.

        Beside a living agent the ledger and the rows are compared at one moment. SQLite's check and the count are given up \
        where they would let the write-ahead log outgrow its bound; all else is checked all the same.\
        """,
        List.of("[-json] [-datanadhi DIR]"),
        List.of(SharedFlags.JSON, SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.Exit(0, "sound"),
            new CommandSpec.Exit(1, "something is wrong, or the buffer cannot be read"),
            new CommandSpec.Exit(
                3,
                "nothing wrong was found, but a busy agent let not everything be checked: try again"
                    + " when it has left")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException {
    arguments.requireBuffer();
    ProgressLine progress = new ProgressLine(terminal, Clock.system());
    BufferCheck.Result report =
        BufferCheck.run(
            arguments.directory(), checked -> progress.say(checked + " records checked so far"));
    if (arguments.wantJson()) {
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
      out.println(terminal.paint(AnsiStyle.BAD, Terminal.plain(problem.description())));
      out.println("  mend: " + mend(problem, directory));
    }
    if (report.more() > 0) {
      out.println(terminal.paint(AnsiStyle.BAD, "and " + report.more() + " more"));
    }
    for (String what : report.unfinished()) {
      out.println(
          terminal.paint(
              AnsiStyle.ODD,
              what + " was given up beside a busy agent: try again when it has left"));
    }
    @Nullable Totals totals = report.totals();
    if (totals != null) {
      out.println(LedgerText.text(totals));
    }
    out.print(RejectedBatchRun.records(report.checked()) + " checked: ");
    if (!report.isSound()) {
      out.println(terminal.paint(AnsiStyle.BAD, "not sound"));
    } else if (report.unfinished().isEmpty()) {
      out.println(terminal.paint(AnsiStyle.GOOD, "sound"));
    } else {
      out.println(terminal.paint(AnsiStyle.ODD, "sound as far as was looked"));
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
      json.writeStringProperty("action", mend(problem, directory));
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

  private static String mend(BufferCheck.Problem problem, Path directory) {
    String here = " -datanadhi " + directory;
    return switch (problem.kind()) {
      case FILE ->
          "when no agent runs: mkdir %1$s/damaged && mv %1$s/buffer.db %1$s/buffer.db-* %1$s/damaged && echopost salvage %1$s/damaged/buffer.db%2$s"
              .formatted(directory, here);
      case SALVAGE -> "start an agent, which goes on with it: echopost" + here;
      case LEDGER -> "start an agent, which puts the ledger right: echopost" + here;
      case PENDING_RECORD ->
          "none is needed now: the agent rejects it in its turn, with status 0; then: echopost"
              + " rejected -discard -id "
              + problem.id()
              + here;
      case REJECTED_RECORD -> "echopost rejected -discard -id " + problem.id() + here;
    };
  }
}
