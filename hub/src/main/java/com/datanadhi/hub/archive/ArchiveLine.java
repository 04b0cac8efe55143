package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.json.Payload;
import com.datanadhi.hub.json.Rfc3339;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.IdempotencyKey;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.json.JsonValidator;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.util.Arrays;
import java.util.regex.Pattern;

/// A record as a line of a segment:
/// `{"seq","key","part","received_at","position","pipelines","log_data"[,"log_text"],"durability"}`,
/// in this order, without white space between them, and a line end. The payload is cut out of the
/// line as bytes, so it comes back as it was. The digest of the record is not in it; it is computed
/// again. Not thread-safe.
final class ArchiveLine {
  /// A longer line is none. A payload of 4 MiB with line ends stands in it twice, once with each
  /// quote escaped; beside it are 4 MiB of pipelines, of which JSON can have six times the bytes.
  static final int MAX_BYTES = 64 << 20;

  private static final Pattern DURABILITY = Pattern.compile("[a-z]{1,20}");

  private final PipelineNames pipelineNames;
  private final JsonText again = new JsonText(1_024);
  private String lastDurability = "fsync";

  ArchiveLine(PipelineNames pipelineNames) {
    this.pipelineNames = pipelineNames;
  }

  /// Adds the line of a record, with its line end.
  static void add(JsonText lines, StoredEvent event) {
    lines.raw("{\"seq\":").number(event.seq());
    lines.raw(",\"key\":").string(event.key());
    lines.raw(",\"part\":").number(event.part());
    lines.raw(",\"received_at\":\"").raw(Rfc3339.text(event.receivedAt()));
    lines.raw("\",\"position\":").string(event.position());
    lines.raw(",\"pipelines\":").raw(event.pipelines()).raw(",");
    Payload.add(lines, event.logData());
    lines.raw(",\"durability\":").string(event.durability()).raw("}\n");
  }

  /// The record of a line.
  ///
  /// @param line without its line end
  /// @throws IllegalArgumentException it is not exactly as [#add] writes it; the message says why
  StoredEvent decode(byte[] line) {
    Scan scan = new Scan(line);
    scan.expect("{\"seq\":");
    long seq = scan.number();
    scan.expect(",\"key\":");
    String key = text(scan.string());
    scan.expect(",\"part\":");
    long part = scan.number();
    scan.expect(",\"received_at\":");
    long receivedAt = millis(text(scan.string()));
    scan.expect(",\"position\":");
    String position = text(scan.string());
    scan.expect(",\"pipelines\":");
    String pipelines = text(scan.value());
    scan.expect(",\"log_data\":");
    byte[] logData = scan.value();
    if (scan.skip(",\"log_text\":")) {
      logData = scan.string();
    }
    scan.expect(",\"durability\":");
    String durability = text(scan.string());
    scan.expect("}");
    scan.end();
    check(IdempotencyKey.isValid(key), "key is none");
    check(seq > 0 && part > 0 && part <= Integer.MAX_VALUE, "seq or part is none");
    check(Position.parse(position) != null, "position is none");
    if (!durability.equals(lastDurability)) {
      check(DURABILITY.matcher(durability).matches(), "durability is none");
      lastDurability = durability;
    }
    pipelineNames.of(pipelines);
    String problem = JsonValidator.problem(logData);
    if (problem != null) {
      throw new IllegalArgumentException("log_data is not JSON: " + problem);
    }
    StoredEvent event =
        new StoredEvent(
            seq,
            key,
            (int) part,
            receivedAt,
            position,
            pipelines,
            logData,
            Digests.record(logData),
            durability);
    // What could be written in more than one way, such as numbers, times and escapes, has to be
    // written in the hub's.
    check(isLine(event, line), "it is not written as the hub writes it");
    return event;
  }

  /// Whether a line, without its line end, is the record's.
  boolean isLine(StoredEvent event, byte[] line) {
    add(again.clear(), event);
    return again.buffer().limit(again.length() - 1).equals(ByteBuffer.wrap(line));
  }

  private static long millis(String time) {
    try {
      return Rfc3339.millis(time);
    } catch (DateTimeException noTime) {
      throw new IllegalArgumentException("received_at is no time", noTime);
    }
  }

  private static String text(byte[] utf8) {
    return new String(utf8, UTF_8);
  }

  private static void check(boolean isRight, String problem) {
    if (!isRight) {
      throw new IllegalArgumentException(problem);
    }
  }

  /// Cuts a line into its parts.
  private static final class Scan {
    private final byte[] line;
    private int at;

    private Scan(byte[] line) {
      this.line = line;
    }

    /// For a caller to throw: a message that is made for each part costs as much as its parsing.
    private static IllegalArgumentException wrong(int at, String what) {
      return new IllegalArgumentException("byte " + at + " " + what);
    }

    private boolean skip(String text) {
      if (line.length - at < text.length()) {
        return false;
      }
      for (int i = 0; i < text.length(); i++) {
        if (line[at + i] != text.charAt(i)) {
          return false;
        }
      }
      at += text.length();
      return true;
    }

    private void expect(String text) {
      if (!skip(text)) {
        throw wrong(at, "is not the begin of " + text);
      }
    }

    private void end() {
      check(at == line.length, "there is more behind its end");
    }

    private long number() {
      int from = at;
      while (at < line.length && line[at] >= '0' && line[at] <= '9') {
        at++;
      }
      if (at == from || at - from > 18) {
        throw wrong(from, "is no number");
      }
      return Long.parseLong(new String(line, from, at - from, UTF_8));
    }

    /// The content of a string, unescaped.
    private byte[] string() {
      int from = at;
      if (at == line.length || line[at] != '"') {
        throw wrong(from, "is no string");
      }
      skipString();
      byte[] content = new byte[at - from - 2];
      int length = 0;
      for (int i = from + 1; i < at - 1; i++) {
        byte b = line[i];
        if (b == '\\') {
          i++;
          b = line[i];
          switch (b) {
            case '"', '\\' -> {}
            case 'n' -> b = '\n';
            case 'r' -> b = '\r';
            case 't' -> b = '\t';
            default -> throw wrong(i, "is an unknown escape");
          }
        }
        content[length++] = b;
      }
      return Arrays.copyOf(content, length);
    }

    /// The bytes of any value, up to the comma or brace behind it.
    private byte[] value() {
      int from = at;
      int depth = 0;
      while (at < line.length) {
        byte b = line[at];
        if (b == '"') {
          skipString();
          continue;
        }
        if (b == '{' || b == '[') {
          depth++;
        } else if (b == '}' || b == ']') {
          if (depth == 0) {
            break;
          }
          depth--;
        } else if (b == ',' && depth == 0) {
          break;
        }
        at++;
      }
      return Arrays.copyOfRange(line, from, at);
    }

    private void skipString() {
      int from = at;
      at++;
      while (at < line.length && line[at] != '"') {
        at += line[at] == '\\' ? 2 : 1;
      }
      at++;
      if (at > line.length) {
        throw wrong(from, "begins a string that does not end");
      }
    }
  }
}
