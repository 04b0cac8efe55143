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
import com.datanadhi.echopost.operator.run.ImportRun;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;

/// `echopost import`: stores exported records in the buffer as new ones.
final class ImportCommand implements OperatorCommand {
  private static final String STDIN = "-";
  private static final int INPUT_BUFFER_BYTES = 1 << 16;

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "import",
        "store exported records in the buffer, as new ones",
        """
        Stores the records of FILE, JSON Lines as export writes them, in the buffer of DIR: after all pending records, in \
        the order of the lines, under their idempotency keys. Each line needs log_data (or log_text) and pipelines. key is \
        the idempotency key; a record without it gets a new one. Other members are ignored. The time of receipt is the time \
        of the import. The records are delivered with the agent's API key. FILE may be compressed with gzip.

        Records are stored in batches of up to 1,000 lines or 1 MiB, each completely or not at all. If a line is invalid, \
        the command names it and stores neither its batch nor the lines after it. After an interruption, or when the line \
        is corrected, run the same command again: batches that are stored already are skipped. Therefore a FILE that was \
        imported before is skipped as a whole, unless -again is given.\
        """,
        List.of("FILE [-again] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.withoutValue("again", "import the records even if they were imported before"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        new CommandSpec.Operand("FILE", "the file with the records; - is standard input", false),
        List.of(
            new CommandSpec.ExitStatus(0, "every record is stored, by this run or an earlier one"),
            new CommandSpec.ExitStatus(
                1,
                "a line is invalid, or the buffer cannot be used; the batches before it are"
                    + " stored"),
            new CommandSpec.ExitStatus(
                2, "usage: an invalid flag or argument, no FILE, or no directory DIR")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    Path directory = arguments.directory();
    String name = arguments.operands().getFirst();
    if (!name.equals(STDIN) && !isReadable(PathArgument.parse("FILE", name))) {
      throw new UsageException(
          "there is no readable file "
              + name
              + ": give a file that export wrote, or - for standard input");
    }
    if (!Files.isDirectory(directory)) {
      throw new UsageException(
          "there is no directory "
              + directory
              + ": create it, or give the agent's directory with -datanadhi");
    }
    Clock clock = Clock.system();
    createBuffer(directory, clock);
    try (InputStream in = open(name, terminal)) {
      ImportRun run = new ImportRun(in, arguments.isOn("again"), clock, terminal);
      run.run(directory);
      if (arguments.wantsJson()) {
        JsonOutput.print(
            terminal.out(),
            json -> {
              json.writeNumberProperty("imported", run.stored());
              json.writeNumberProperty("passed_over", run.skipped());
              json.writeBooleanProperty("by_agent", run.byAgent());
            });
      } else {
        terminal.out().print(report(run));
      }
      return ExitCode.DONE;
    }
  }

  /// Whether it is a readable file or pipe.
  private static boolean isReadable(Path file) {
    return Files.isReadable(file) && !Files.isDirectory(file);
  }

  private static String report(ImportRun run) {
    String skipped =
        run.skipped() == 0
            ? ""
            : Quantities.records(run.skipped())
                + " skipped: already imported (-again imports them again)\n";
    if (run.stored() == 0) {
      return skipped.isEmpty() ? "nothing to do: the file contains no records\n" : skipped;
    }
    return Quantities.records(run.stored())
        + " imported; "
        + DeliveryForecast.of(run.byAgent())
        + "\n"
        + skipped;
  }

  /// Creates the buffer if there is none, unless an agent that is starting does that.
  private static void createBuffer(Path directory, Clock clock)
      throws StorageException, IOException, InterruptedException {
    if (Buffer.existsIn(directory)) {
      return;
    }
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, clock)) {
      if (lock != null) {
        Buffer.open(directory, clock, BufferListener.NONE).close();
      }
    }
  }

  private static InputStream open(String name, Terminal terminal) throws IOException {
    InputStream in =
        new BufferedInputStream(
            name.equals(STDIN) ? terminal.in() : Files.newInputStream(Path.of(name)),
            INPUT_BUFFER_BYTES);
    in.mark(2);
    boolean isGzip = in.read() == 0x1F && in.read() == 0x8B;
    in.reset();
    return isGzip ? new GZIPInputStream(in, INPUT_BUFFER_BYTES) : in;
  }
}
