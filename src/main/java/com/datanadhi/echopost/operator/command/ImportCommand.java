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
import com.datanadhi.echopost.operator.run.ImportRun;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;

/// `echopost import`: puts exported records into the buffer as new ones.
final class ImportCommand implements OperatorCommand {
  private static final String STDIN = "-";
  private static final int PIECE = 1 << 16;

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "import",
        "put exported records into the buffer, as new ones",
        """
        Puts the records of FILE, JSON Lines as export writes them, into the buffer of DIR: behind all that is pending, in \
        their order, under the idempotency keys that they have. Each line needs log_data (or log_text) and pipelines; key \
        is what the server knows the record by, and a record without one gets a new one. Anything else is passed over. The \
        records count as received now, and are delivered with the agent's API key. A FILE that was compressed with gzip is \
        known by its beginning.

        Records go in by batches of up to 1,000 lines or 1 MiB, each whole or not at all. A line that is wrong is named, \
        and its batch and all that follows it stay out. A batch that is in is not put in again: when it was cut short, or \
        a line was mended, run the same command again. So a FILE that was imported once is passed over as a whole; -again \
        puts it in once more.\
        """,
        List.of("FILE [-again] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.toggle("again", "put in what was put in before, too"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        new CommandSpec.Operand("FILE", "the records; - is standard input", false),
        List.of(
            new CommandSpec.Exit(0, "every record is in, be it from an earlier run"),
            new CommandSpec.Exit(
                1, "a line is wrong, or the buffer cannot be used; the batches before it are in"),
            new CommandSpec.Exit(
                2, "usage: a bad flag or argument, no FILE, or no directory DIR")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    Path directory = arguments.directory();
    String name = arguments.operands().getFirst();
    if (!name.equals(STDIN) && !isReadable(Path.of(name))) {
      throw new UsageException("there is no file " + name + " that can be read");
    }
    if (!Files.isDirectory(directory)) {
      throw new UsageException(
          "there is no directory " + directory + ": name the agent's with -datanadhi, or make it");
    }
    Clock clock = Clock.system();
    makeBuffer(directory, clock);
    try (InputStream in = open(name, terminal)) {
      ImportRun run = new ImportRun(in, arguments.isOn("again"), clock, terminal);
      run.run(directory);
      if (arguments.wantJson()) {
        JsonOutput.print(
            terminal.out(),
            json -> {
              json.writeNumberProperty("imported", run.stored());
              json.writeNumberProperty("passed_over", run.passedOver());
              json.writeBooleanProperty("by_agent", run.byAgent());
            });
      } else {
        terminal.out().print(report(run));
      }
      return ExitCode.DONE;
    }
  }

  /// A pipe is as good as a file.
  private static boolean isReadable(Path file) {
    return Files.isReadable(file) && !Files.isDirectory(file);
  }

  private static String report(ImportRun run) {
    String passed =
        run.passedOver() == 0
            ? ""
            : RejectedBatchRun.records(run.passedOver())
                + " passed over, which an earlier import of the same lines put in\n";
    if (run.stored() == 0) {
      return passed.isEmpty() ? "nothing to do: there are no records in it\n" : passed;
    }
    return RejectedBatchRun.records(run.stored())
        + " put in; "
        + (run.byAgent()
            ? "the agent delivers them when the server is well\n"
            : "no agent lives: the next one that starts delivers them\n")
        + passed;
  }

  /// On a new machine there may be none yet. An agent makes its own.
  private static void makeBuffer(Path directory, Clock clock)
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
            name.equals(STDIN) ? terminal.in() : Files.newInputStream(Path.of(name)), PIECE);
    in.mark(2);
    boolean isGzip = in.read() == 0x1F && in.read() == 0x8B;
    in.reset();
    return isGzip ? new GZIPInputStream(in, PIECE) : in;
  }
}
