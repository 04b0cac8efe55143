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

/// `echopost peek`: shows the next records.
final class PeekCommand implements OperatorCommand {
  private static final long RECORDS = 10;
  private static final int START_CHARS = 60;
  private static final String LINE = "%10s  %-20s  %9s  %-20s  %s%s%n";

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "peek",
        "show the next records, in the order in which they are delivered",
        """
        Shows the records that are delivered next, in their order: id, when the record came (UTC), the payload's size in \
        bytes, its pipelines and its start. A record whose checksum does not match is marked. Shows no API keys.\
        """,
        List.of("[-n N] [-from ID] [-rejected] [-full] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.of("n", "N", "how many (default " + RECORDS + ")"),
            Flag.of("from", "ID", "begin at that id, or the first after it"),
            Flag.toggle("rejected", "those that the server refused for good instead"),
            Flag.toggle("full", "whole payloads"),
            SharedFlags.JSON,
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.Exit(0, "done, also when there was nothing to show"),
            SharedFlags.UNUSABLE));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException {
    long left = Objects.requireNonNullElse(arguments.number("n", Long.MAX_VALUE), RECORDS);
    long after = Objects.requireNonNullElse(arguments.number("from", Long.MAX_VALUE), 1L) - 1;
    BufferView.Table table =
        arguments.isOn("rejected") ? BufferView.Table.REJECTED : BufferView.Table.PENDING;
    arguments.requireBuffer();
    boolean any = arguments.wantJson();
    try (BufferView buffer = BufferView.open(arguments.directory())) {
      long through = buffer.lastId(table);
      while (left > 0 && after < through) {
        List<BufferView.Entry> page = buffer.page(table, after, through);
        if (page.isEmpty()) {
          break;
        }
        for (BufferView.Entry entry : page.subList(0, (int) Math.min(left, page.size()))) {
          if (arguments.wantJson()) {
            terminal.out().writeBytes(json(entry, arguments.isOn("full")));
            continue;
          }
          if (!any) {
            terminal.out().print(terminal.paint(AnsiStyle.STRONG, head(table)));
            any = true;
          }
          print(entry, arguments.isOn("full"), terminal);
        }
        left -= page.size();
        after = page.getLast().record().id();
        // Who reads it may have had enough.
        terminal.flush();
      }
    }
    if (!any) {
      terminal
          .out()
          .print(
              table == BufferView.Table.PENDING
                  ? "there is no such record: nothing waits for its delivery\n"
                  : "there is no such record: nothing is rejected\n");
    }
    return ExitCode.DONE;
  }

  private static String head(BufferView.Table table) {
    return LINE.formatted(
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
    @Nullable RejectionDetails refusal = entry.rejection();
    String payload = RecordLine.text(record.content().jsonData());
    out.printf(
        LINE,
        record.id(),
        Instant.ofEpochMilli(record.content().receivedAt()).truncatedTo(ChronoUnit.SECONDS),
        record.content().jsonData().length,
        Terminal.plain(RecordLine.text(record.content().pipelines())),
        refusal == null ? "" : "%6d  ".formatted(refusal.status()),
        (record.sound() ? "" : terminal.paint(AnsiStyle.BAD, "[damaged] "))
            + Terminal.plain(full ? payload : start(payload)));
  }

  private static byte[] json(BufferView.Entry entry, boolean full) {
    PendingRecord record = entry.record();
    if (full && record.sound()) {
      return RecordLine.of(entry);
    }
    String payload = RecordLine.text(record.content().jsonData());
    return RecordLine.start(
        entry,
        json -> {
          json.writeBooleanProperty("sound", record.sound());
          json.writeNumberProperty("bytes", record.content().jsonData().length);
          json.writeStringProperty("payload_start", full ? payload : start(payload));
        });
  }

  private static String start(String payload) {
    return payload.codePointCount(0, payload.length()) <= START_CHARS
        ? payload
        : payload.substring(0, payload.offsetByCodePoints(0, START_CHARS));
  }
}
