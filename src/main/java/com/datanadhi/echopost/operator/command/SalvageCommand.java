package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.PathArgument;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.operator.print.JsonOutput;
import com.datanadhi.echopost.operator.print.Quantities;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/// `echopost salvage`: restores the records of a damaged buffer file.
final class SalvageCommand implements OperatorCommand {
  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "salvage",
        "restore the records of a damaged buffer file",
        """
        Reads a damaged buffer file page by page, with FILE-wal and FILE-watermark if they exist, and stores each record \
        whose checksum matches in the buffer of DIR, unless it was delivered: in order, and under its idempotency key; \
        rejected records stay rejected. An agent does the same automatically with a buffer that it sets aside as damaged; this command \
        is for a file from elsewhere, and for a second attempt. No agent may run on DIR.

        A FILE that was salvaged completely is not salvaged again, unless -again is given: records that were delivered since \
        then would be sent again, under the same idempotency keys.\
        """,
        List.of("FILE [-again] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.withoutValue("again", "salvage FILE even if it was salvaged before"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        new CommandSpec.Operand("FILE", "the damaged buffer file", false),
        List.of(
            new CommandSpec.ExitStatus(0, "no record is missing"),
            new CommandSpec.ExitStatus(
                1, "records are missing (their ids are printed), or nothing was found"),
            new CommandSpec.ExitStatus(
                2,
                "usage: an invalid flag or argument, no FILE, no directory DIR, or FILE was"
                    + " salvaged before"),
            new CommandSpec.ExitStatus(3, "an agent runs on DIR")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    Path directory = arguments.directory();
    Path file = PathArgument.parse("FILE", arguments.operands().getFirst());
    if (!Files.isRegularFile(file)) {
      throw new UsageException("there is no file " + file + ": give a damaged buffer file");
    }
    if (!Files.isDirectory(directory)) {
      throw new UsageException(
          "there is no directory " + directory + ": give the agent's directory with -datanadhi");
    }
    if (Buffer.isIn(directory, file)) {
      throw new UsageException(
          file + " is the buffer of " + directory + ": start an agent, which salvages it");
    }
    Clock clock = Clock.system();
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, clock)) {
      if (lock == null) {
        terminal.printError(
            "an agent or a command is using " + directory + ": try again when it has exited");
        return ExitCode.OWNED;
      }
      Path earlierReport = SalvageReport.of(file);
      if (Files.exists(earlierReport) && !arguments.isOn("again")) {
        throw new UsageException(
            file
                + " was salvaged before: "
                + earlierReport
                + " has the result; add -again to salvage it again");
      }
      try (Buffer buffer = Buffer.open(directory, clock, BufferListener.NONE)) {
        SalvageReport report = buffer.salvage(file);
        if (arguments.wantsJson()) {
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
        + Quantities.records(report.found())
        + " to deliver and "
        + report.rejected()
        + " rejected; "
        + report.restored()
        + " restored"
        + (report.found() + report.rejected() > report.restored()
            ? ", the others were in the buffer already\n"
            : "\n")
        + (report.watermarkKnown()
            ? ""
            : "which of them were delivered is unknown: some may be sent again, under the same"
                + " idempotency keys\n")
        + (report.missing() == 0
            ? ""
            : Quantities.records(report.missing()) + " missing: " + report.missingIds() + "\n");
  }
}
