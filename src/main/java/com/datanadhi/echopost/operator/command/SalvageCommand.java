package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/// `echopost salvage`: puts back what a damaged buffer still holds.
final class SalvageCommand implements OperatorCommand {
  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "salvage",
        "put back what a damaged buffer file still holds",
        """
        Reads a damaged buffer page by page, with FILE-wal and FILE-watermark beside it where there are such, and puts \
        each record whose checksum is right, and which was not settled, into the buffer of DIR: in order, and under the \
        idempotency key that it had. An agent does the same by itself with a buffer that it sets aside; this is for a file \
        from elsewhere, and for a second try. No agent may be running on DIR.

        A FILE that was salvaged to its end is not salvaged once more, unless -again says so: what was delivered since \
        would be sent again, under the same keys.\
        """,
        List.of("FILE [-again] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.toggle("again", "salvage what was salvaged before, too"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        new CommandSpec.Operand("FILE", "the damaged buffer", false),
        List.of(
            new CommandSpec.Exit(0, "nothing is gone"),
            new CommandSpec.Exit(1, "records are gone (they are named), or nothing was found"),
            new CommandSpec.Exit(3, "an agent runs on DIR")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    Path directory = arguments.directory();
    Path file = Path.of(arguments.operands().getFirst());
    if (!Files.isRegularFile(file)) {
      throw new UsageException("there is no file " + file);
    }
    if (!Files.isDirectory(directory)) {
      throw new UsageException(
          "there is no directory " + directory + ": name the agent's with -datanadhi");
    }
    if (Buffer.isIn(directory, file)) {
      throw new UsageException(
          file + " is the buffer of " + directory + ": start an agent, it salvages it by itself");
    }
    Clock clock = Clock.system();
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, clock)) {
      if (lock == null) {
        terminal
            .err()
            .println("echopost: an agent runs on " + directory + ": try again when it has left");
        return ExitCode.OWNED;
      }
      Path earlier = SalvageReport.of(file);
      if (Files.exists(earlier) && !arguments.isOn("again")) {
        throw new UsageException(
            file
                + " was salvaged before: "
                + earlier
                + " says what came of it; -again puts all of it back once more");
      }
      try (Buffer buffer = Buffer.open(directory, clock, BufferListener.NONE)) {
        SalvageReport report = buffer.salvage(file);
        if (arguments.wantJson()) {
          JsonOutput.print(terminal.out(), json -> write(report, json));
        } else {
          terminal.out().print(text(report));
        }
        return report.isComplete() ? ExitCode.DONE : ExitCode.FATAL;
      }
    }
  }

  private static void write(SalvageReport report, JsonGenerator json) {
    json.writeNumberProperty("found", report.found());
    json.writeNumberProperty("rejected", report.rejected());
    json.writeNumberProperty("restored", report.restored());
    json.writeBooleanProperty("watermark_known", report.watermarkKnown());
    json.writeNumberProperty("gone", report.missing());
    json.writeStringProperty("gone_ids", report.missingIds());
  }

  private static String text(SalvageReport report) {
    return "found "
        + RejectedBatchRun.records(report.found())
        + " to be delivered and "
        + report.rejected()
        + " rejected; "
        + report.restored()
        + " put back, the others were there\n"
        + (report.watermarkKnown()
            ? ""
            : "which of them the server has is not known: some may be sent again, under their old"
                + " keys\n")
        + (report.missing() == 0
            ? ""
            : RejectedBatchRun.records(report.missing()) + " gone: " + report.missingIds() + "\n");
  }
}
