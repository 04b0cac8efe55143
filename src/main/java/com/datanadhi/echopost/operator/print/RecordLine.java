package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectionDetails;
import com.datanadhi.json.ControlCharacters;
import com.datanadhi.json.JsonValidator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/// A record as a line of JSON, which `export` writes and `import` reads. It contains no API key.
///
/// The payload is the member `log_data`, byte for byte. If the payload contains line ends, or has
/// spaces around it, that is not possible: `log_data` then has spaces instead of the line ends, and
/// the member `log_text` in front of it is a string with the unchanged payload.
public final class RecordLine {
  private RecordLine() {}

  /// As [#format], but with escapes instead of characters that control a terminal: the same JSON
  /// value in other bytes.
  public static byte[] formatForScreen(BufferView.Entry entry) {
    String line = text(format(entry));
    return (ControlCharacters.escape(line.stripTrailing()) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /// The line of a record whose checksum matches, with the line end.
  public static byte[] format(BufferView.Entry entry) {
    byte[] payload = entry.record().content().jsonData();
    boolean isExact = fitsOnLine(payload);
    byte[] head =
        JsonOutput.line(json -> {
          write(entry, json);
          if (!isExact) {
            json.writeStringProperty("log_text", text(payload));
          }
        });
    ByteArrayOutputStream line = new ByteArrayOutputStream(head.length + payload.length + 16);
    // Without the closing brace and the line end.
    line.write(head, 0, head.length - 2);
    line.writeBytes(",\"log_data\":".getBytes(StandardCharsets.US_ASCII));
    line.writeBytes(isExact ? payload : withoutLineEnds(payload));
    line.write('}');
    line.write('\n');
    return line.toByteArray();
  }

  /// The line of any record without its payload, with the line end.
  ///
  /// @param more writes further members
  public static byte[] formatWithoutPayload(BufferView.Entry entry, Consumer<JsonGenerator> more) {
    return JsonOutput.line(json -> {
      write(entry, json);
      more.accept(json);
    });
  }

  private static void write(BufferView.Entry entry, JsonGenerator json) {
    PendingRecord record = entry.record();
    json.writeNumberProperty("id", record.id());
    json.writeStringProperty("key", record.idempotencyKey());
    json.writeNumberProperty("received_at", record.content().receivedAt());
    json.writeName("pipelines");
    if (record.sound()) {
      json.writeRawValue(ControlCharacters.escape(text(record.content().pipelines())));
    } else {
      json.writeString(text(record.content().pipelines()));
    }
    RejectionDetails rejection = entry.rejection();
    if (rejection != null) {
      json.writeNumberProperty("status", rejection.status());
      json.writeStringProperty("response", rejection.response());
      json.writeNumberProperty("rejected_at", rejection.rejectedAt());
      json.writeNumberProperty("attempts", rejection.attempts());
    }
  }

  /// Parses `line`. Ignores members that `import` does not need.
  ///
  /// @throws IllegalArgumentException if it is not a valid record; the message states why
  public static ImportBatch.Line parse(byte[] line) {
    byte @Nullable [] data = null;
    byte @Nullable [] text = null;
    byte @Nullable [] pipelines = null;
    @Nullable String key = null;
    Set<String> names = new HashSet<>();
    for (JsonValidator.Part member : JsonValidator.parts(line, '{')) {
      if (!names.add(member.name())) {
        throw new IllegalArgumentException("it has the member " + member.name() + " twice");
      }
      switch (member.name()) {
        case "log_data" -> data = member.text();
        case "log_text" -> text = stringValue(member).getBytes(StandardCharsets.UTF_8);
        case "pipelines" -> pipelines = member.text();
        case "key" -> key = stringValue(member);
        default -> {}
      }
    }
    if (text != null) {
      data = text;
    }
    if (data == null || pipelines == null) {
      throw new IllegalArgumentException(
          "it has no member " + (data == null ? "log_data" : "pipelines"));
    }
    ImportBatch.Line record = new ImportBatch.Line(data, pipelines, key);
    @Nullable String problem = record.problem();
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    return record;
  }

  private static String stringValue(JsonValidator.Part member) {
    try (JsonParser parser =
        JsonOutput.FACTORY.createParser(ObjectReadContext.empty(), member.text())) {
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw new IllegalArgumentException("its " + member.name() + " is not a string");
      }
      return parser.getString();
    } catch (JacksonException bad) {
      throw new IllegalArgumentException(
          "its " + member.name() + " cannot be parsed: " + bad.getOriginalMessage(), bad);
    }
  }

  /// Whether `log_data` preserves each byte of `payload`, which is JSON and so not empty.
  private static boolean fitsOnLine(byte[] payload) {
    if (isSpace(payload[0]) || isSpace(payload[payload.length - 1])) {
      return false;
    }
    for (byte b : payload) {
      if (isLineEnd(b)) {
        return false;
      }
    }
    return true;
  }

  private static byte[] withoutLineEnds(byte[] payload) {
    byte[] flat = payload.clone();
    for (int i = 0; i < flat.length; i++) {
      if (isLineEnd(flat[i])) {
        flat[i] = ' ';
      }
    }
    return flat;
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || b == '\t';
  }

  private static boolean isLineEnd(byte b) {
    return b == '\n' || b == '\r';
  }

  /// The text of `utf8`; empty if it is null.
  public static String text(byte @Nullable [] utf8) {
    return utf8 == null ? "" : new String(utf8, StandardCharsets.UTF_8);
  }
}
