package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.AnsiStyle;
import com.datanadhi.echopost.operator.print.RecordLine;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectionDetails;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// `echopost peek`: shows the next records without changing anything.
final class PeekCommand implements OperatorCommand {
  private static final long DEFAULT_RECORDS = 10;
  private static final int PREVIEW_CHARS = 60;
  private static final int PIPELINES_CHARS = 20;
  private static final String ROW = "%10s  %-20s  %9s  %-20s  %s%s%n";

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "peek",
        "show the next records, in the order of their delivery",
        """
        Shows the records that are delivered next, in order: the id, the time of receipt (UTC), the size of the payload in \
        bytes, the pipelines, and the start of the payload. A record whose checksum does not match is marked as damaged. API \
        keys are not shown.\
        """,
        List.of("[-n N] [-from ID] [-rejected] [-full] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.withValue("n", "N", "the number of records (default " + DEFAULT_RECORDS + ")"),
            Flag.withValue(
                "from", "ID", "start at this id, or at the next one if there is no such record"),
            Flag.withoutValue("rejected", "show rejected records instead of pending ones"),
            Flag.withoutValue("full", "show complete payloads and pipelines"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(0, "done, even if there is nothing to show"),
            SharedExitStatuses.BUFFER_UNUSABLE));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException {
    long remaining =
        Objects.requireNonNullElse(arguments.number("n", Long.MAX_VALUE), DEFAULT_RECORDS);
    long after = Objects.requireNonNullElse(arguments.number("from", Long.MAX_VALUE), 1L) - 1;
    BufferView.Table table =
        arguments.isOn("rejected") ? BufferView.Table.REJECTED : BufferView.Table.PENDING;
    arguments.requireBuffer();
    boolean headerPrinted = arguments.wantsJson();
    try (BufferView buffer = BufferView.open(arguments.directory())) {
      long through = buffer.lastId(table);
      while (remaining > 0 && after < through) {
        List<BufferView.Entry> page = buffer.page(table, after, through);
        if (page.isEmpty()) {
          break;
        }
        for (BufferView.Entry entry : page.subList(0, (int) Math.min(remaining, page.size()))) {
          if (arguments.wantsJson()) {
            terminal.out().writeBytes(json(entry, arguments.isOn("full")));
            continue;
          }
          if (!headerPrinted) {
            terminal.out().print(terminal.styled(AnsiStyle.BOLD, header(table)));
            headerPrinted = true;
          }
          print(entry, arguments.isOn("full"), terminal);
        }
        remaining -= page.size();
        after = page.getLast().record().id();
        // Ends the command if the reader has closed the pipe.
        terminal.flush();
      }
    }
    if (!headerPrinted) {
      boolean isFiltered = after > 0 || remaining <= 0;
      terminal
          .out()
          .println(
              (isFiltered ? "no such record is " : "no record is ")
                  + (table == BufferView.Table.PENDING ? "pending" : "rejected"));
    }
    return ExitCode.DONE;
  }

  private static String header(BufferView.Table table) {
    return ROW.formatted(
        "id",
        "received (UTC)",
        "bytes",
        "pipelines",
        table == BufferView.Table.PENDING ? "" : "status  ",
        "payload");
  }

  private static void print(BufferView.Entry entry, boolean full, Terminal terminal) {
    PrintStream out = terminal.out();
    PendingRecord record = entry.record();
    @Nullable RejectionDetails rejection = entry.rejection();
    String payload = RecordLine.text(record.content().jsonData());
    String pipelines = RecordLine.text(record.content().pipelines());
    out.printf(
        ROW,
        record.id(),
        Instant.ofEpochMilli(record.content().receivedAt()).truncatedTo(ChronoUnit.SECONDS),
        record.content().jsonData().length,
        Terminal.withoutControls(full ? pipelines : shortened(pipelines, PIPELINES_CHARS)),
        rejection == null ? "" : "%6d  ".formatted(rejection.status()),
        (record.sound() ? "" : terminal.styled(AnsiStyle.RED, "[damaged] "))
            + Terminal.withoutControls(full ? payload : preview(payload)));
  }

  private static byte[] json(BufferView.Entry entry, boolean full) {
    PendingRecord record = entry.record();
    if (full && record.sound()) {
      return RecordLine.formatForScreen(entry);
    }
    String payload = RecordLine.text(record.content().jsonData());
    return RecordLine.formatWithoutPayload(
        entry,
        json -> {
          json.writeBooleanProperty("sound", record.sound());
          json.writeNumberProperty("bytes", record.content().jsonData().length);
          json.writeStringProperty("payload_start", full ? payload : preview(payload));
        });
  }

  private static String preview(String payload) {
    return start(payload, PREVIEW_CHARS);
  }

  private static String shortened(String text, int chars) {
    String start = start(text, chars);
    return start.equals(text) ? text : start(text, chars - 1) + "…";
  }

  private static String start(String text, int chars) {
    return text.codePointCount(0, text.length()) <= chars
        ? text
        : text.substring(0, text.offsetByCodePoints(0, chars));
  }
}
