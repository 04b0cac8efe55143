package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.Quantities;
import com.datanadhi.echopost.operator.print.RecordLine;
import com.datanadhi.echopost.operator.print.Terminal;
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
  private static final int MAX_DAMAGED_NAMED = 10;

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "export",
        "write the records to standard output, as JSON Lines",
        """
        Writes all records that are pending at the start of the export to standard output, in the order of their delivery. \
        Each line is a JSON object: id, key (the idempotency key), received_at (UTC, milliseconds since 1970), pipelines, \
        and log_data, the payload byte for byte. The buffer is not changed.

        If a payload contains line ends or has spaces around it, log_data has spaces instead of the line ends, and the \
        string log_text contains the payload byte for byte. On a terminal, control characters in payloads are escaped.

        Records that a running agent delivers before the export reaches them are omitted, and their number is printed on \
        standard error. Records whose checksum does not match are omitted, too. API keys are never exported: when a record \
        with its own API key is imported elsewhere, it is delivered with the key of the agent there. To move a buffer with \
        its API keys, move its files.\
        """,
        List.of("[-rejected] [-gzip] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.withoutValue(
                "rejected",
                "export rejected records instead of pending ones, with status, response,"
                    + " rejected_at and attempts"),
            Flag.withoutValue("gzip", "compress the output"),
            SharedFlags.JSON_ALWAYS,
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "all records are exported"),
            new CommandSpec.ExitStatus(
                1,
                "records with a wrong checksum were omitted (standard error names them), the buffer"
                    + " cannot be used, or the output cannot be written")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException {
    if (arguments.isOn("gzip") && terminal.outIsTerminal()) {
      throw new UsageException(
          "-gzip writes binary data, but standard output is a terminal: redirect it to a file");
    }
    arguments.requireBuffer();
    BufferView.Table table =
        arguments.isOn("rejected") ? BufferView.Table.REJECTED : BufferView.Table.PENDING;
    try (BufferView buffer = BufferView.open(arguments.directory())) {
      if (!arguments.isOn("gzip")) {
        return export(buffer, table, terminal.out(), terminal);
      }
      try (GZIPOutputStream out = new GZIPOutputStream(terminal.out(), 1 << 16)) {
        return export(buffer, table, out, terminal);
      }
    }
  }

  private static ExitCode export(
      BufferView buffer, BufferView.Table table, OutputStream out, Terminal terminal)
      throws StorageException, IOException {
    ProgressLine progress = new ProgressLine(terminal, Clock.system());
    Totals atStart = buffer.totals();
    long through = buffer.lastId(table);
    long expected = table == BufferView.Table.PENDING ? atStart.pending() : atStart.rejected();
    long exported = 0;
    long damaged = 0;
    long withApiKey = 0;
    List<BufferView.Entry> page = buffer.page(table, 0, through);
    while (!page.isEmpty()) {
      for (BufferView.Entry entry : page) {
        PendingRecord record = entry.record();
        if (record.sound()) {
          // Only a person reads a terminal, where the payload's own bytes could do harm.
          out.write(
              terminal.outIsTerminal()
                  ? RecordLine.formatForScreen(entry)
                  : RecordLine.format(entry));
          exported++;
          withApiKey += record.content().apiKey().length > 0 ? 1 : 0;
        } else if (damaged++ < MAX_DAMAGED_NAMED) {
          terminal.printError("omitted record " + record.id() + ": its checksum does not match");
        }
      }
      // Ends the command if the reader has closed the pipe.
      terminal.flush();
      progress.update(exported + " of " + Quantities.records(expected) + " so far");
      page = buffer.page(table, page.getLast().record().id(), through);
    }
    reportOmissions(expected - exported - damaged, damaged, withApiKey, terminal);
    return damaged == 0 ? ExitCode.DONE : ExitCode.FATAL;
  }

  private static void reportOmissions(
      long settled, long damaged, long withApiKey, Terminal terminal) {
    if (damaged > MAX_DAMAGED_NAMED) {
      terminal.printError(
          "omitted "
              + (damaged - MAX_DAMAGED_NAMED)
              + " more for the same reason: 'echopost verify' names all");
    }
    if (settled > 0) {
      terminal.printError(
          "omitted "
              + Quantities.records(settled)
              + ": delivered, rejected or discarded during the export");
    }
    if (withApiKey > 0) {
      terminal.printError("omitted the API keys of " + Quantities.records(withApiKey));
    }
  }
}
