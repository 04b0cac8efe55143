package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.RecordLine;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/// `echopost export`: copies records to standard output.
final class ExportCommand implements OperatorCommand {
  private static final int DAMAGED_NAMED = 10;

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "export",
        "copy the records to standard output, as JSON Lines",
        """
        Copies all records that are pending when it begins to standard output, in the order in which they are delivered, a \
        JSON object a line: id, key (the idempotency key), received_at (UTC, milliseconds since 1970), pipelines, and the \
        payload as log_data, byte for byte. Nothing is taken out of the buffer.

        A payload that a line cannot hold, since it has line ends in it or spaces around it, comes byte for byte as the \
        string log_text, and as log_data with spaces in the places of line ends.

        What a living agent delivers before export comes to it is left out, and counted on standard error. So is a record \
        whose checksum does not match. API keys are never exported: a record that has one of its own is delivered with the \
        agent's when it is imported elsewhere. To move a buffer with its keys, move its files.\
        """,
        List.of("[-rejected] [-gzip] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.toggle(
                "rejected",
                "the records that the server refused for good instead, with status, response,"
                    + " rejected_at and attempts"),
            Flag.toggle("gzip", "compress the output"),
            SharedFlags.ALWAYS_JSON,
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.Exit(0, "all is copied that was there"),
            new CommandSpec.Exit(
                1,
                "records with a wrong checksum were left out (they are named), the buffer cannot be"
                    + " used, or nobody reads the output")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException {
    if (arguments.isOn("gzip") && terminal.outIsScreen()) {
      throw new UsageException("-gzip writes what no terminal can show: redirect it to a file");
    }
    arguments.requireBuffer();
    BufferView.Table table =
        arguments.isOn("rejected") ? BufferView.Table.REJECTED : BufferView.Table.PENDING;
    try (BufferView buffer = BufferView.open(arguments.directory())) {
      if (!arguments.isOn("gzip")) {
        return copy(buffer, table, terminal.out(), terminal);
      }
      try (GZIPOutputStream out = new GZIPOutputStream(terminal.out(), 1 << 16)) {
        return copy(buffer, table, out, terminal);
      }
    }
  }

  private static ExitCode copy(
      BufferView buffer, BufferView.Table table, OutputStream out, Terminal terminal)
      throws StorageException, IOException {
    ProgressLine progress = new ProgressLine(terminal, Clock.system());
    Totals atStart = buffer.totals();
    long through = buffer.lastId(table);
    long expected = table == BufferView.Table.PENDING ? atStart.pending() : atStart.rejected();
    long copied = 0;
    long damaged = 0;
    long keyed = 0;
    List<BufferView.Entry> page = buffer.page(table, 0, through);
    while (!page.isEmpty()) {
      for (BufferView.Entry entry : page) {
        PendingRecord record = entry.record();
        if (record.sound()) {
          out.write(RecordLine.of(entry));
          copied++;
          keyed += record.content().apiKey().length > 0 ? 1 : 0;
        } else if (damaged++ < DAMAGED_NAMED) {
          terminal
              .err()
              .println(
                  "echopost: record " + record.id() + " is left out: its checksum does not match");
        }
      }
      // Who reads it may have had enough.
      terminal.flush();
      progress.say(copied + " of " + expected + " records so far");
      page = buffer.page(table, page.getLast().record().id(), through);
    }
    tell(expected - copied - damaged, damaged, keyed, terminal);
    return damaged == 0 ? ExitCode.DONE : ExitCode.FATAL;
  }

  private static void tell(long gone, long damaged, long keyed, Terminal terminal) {
    if (damaged > DAMAGED_NAMED) {
      terminal
          .err()
          .println(
              "echopost: "
                  + (damaged - DAMAGED_NAMED)
                  + " more are left out for the same reason; 'echopost verify' names all");
    }
    if (gone > 0) {
      terminal
          .err()
          .println(
              "echopost: "
                  + RejectedBatchRun.records(gone)
                  + " left the buffer meanwhile, delivered or rejected, and are not in the output");
    }
    if (keyed > 0) {
      terminal
          .err()
          .println(
              "echopost: "
                  + RejectedBatchRun.records(keyed)
                  + " had an API key of their own, which is not in the output");
    }
  }
}
