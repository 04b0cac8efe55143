package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.JsonValidator;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectionDetails;
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

/// A record as a line of JSON, as `export` writes it and `import` reads it. No API key is in it.
///
/// The payload is the member `log_data`, its bytes as they are. One that has line ends in it,
/// between its parts, cannot stand in a line: there they become spaces; and spaces around it are
/// nobody's, once it is a member. The member `log_text` before it is then a string that holds the
/// payload as it is.
public final class RecordLine {
  private RecordLine() {}

  /// The line of a sound record, its end included.
  public static byte[] of(BufferView.Entry entry) {
    byte[] payload = entry.record().content().jsonData();
    boolean fits = fits(payload);
    byte[] head =
        JsonOutput.line(json -> {
          write(entry, json);
          if (!fits) {
            json.writeStringProperty("log_text", text(payload));
          }
        });
    ByteArrayOutputStream line = new ByteArrayOutputStream(head.length + payload.length + 16);
    // Without the brace and the line end.
    line.write(head, 0, head.length - 2);
    line.writeBytes(",\"log_data\":".getBytes(StandardCharsets.US_ASCII));
    line.writeBytes(fits ? payload : onOneLine(payload));
    line.write('}');
    line.write('\n');
    return line.toByteArray();
  }

  /// The start of the line of any record.
  ///
  /// @param more adds members to it
  public static byte[] start(BufferView.Entry entry, Consumer<JsonGenerator> more) {
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
      json.writeRawValue(text(record.content().pipelines()));
    } else {
      json.writeString(text(record.content().pipelines()));
    }
    RejectionDetails refusal = entry.rejection();
    if (refusal != null) {
      json.writeNumberProperty("status", refusal.status());
      json.writeStringProperty("response", refusal.response());
      json.writeNumberProperty("rejected_at", refusal.rejectedAt());
      json.writeNumberProperty("attempts", refusal.attempts());
    }
  }

  /// The record that stands in `line`. What `import` does not need, and does not know, is passed
  /// over.
  ///
  /// @throws IllegalArgumentException when there is none, with what is wrong
  public static ImportBatch.Line parse(byte[] line) {
    byte @Nullable [] data = null;
    byte @Nullable [] text = null;
    byte @Nullable [] pipelines = null;
    @Nullable String key = null;
    Set<String> names = new HashSet<>();
    for (JsonValidator.Part member : JsonValidator.parts(line, '{')) {
      if (!names.add(member.name())) {
        throw new IllegalArgumentException("its member " + member.name() + " stands there twice");
      }
      switch (member.name()) {
        case "log_data" -> data = member.text();
        case "log_text" -> text = string(member).getBytes(StandardCharsets.UTF_8);
        case "pipelines" -> pipelines = member.text();
        case "key" -> key = string(member);
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

  private static String string(JsonValidator.Part member) {
    try (JsonParser parser =
        JsonOutput.FACTORY.createParser(ObjectReadContext.empty(), member.text())) {
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw new IllegalArgumentException("its " + member.name() + " is not a string");
      }
      return parser.getString();
    } catch (JacksonException bad) {
      throw new IllegalArgumentException(
          "its " + member.name() + " cannot be read: " + bad.getOriginalMessage(), bad);
    }
  }

  /// Whether it can be read from a line again as it is. It is JSON, and so not empty.
  private static boolean fits(byte[] payload) {
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

  private static byte[] onOneLine(byte[] payload) {
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

  public static String text(byte @Nullable [] utf8) {
    return utf8 == null ? "" : new String(utf8, StandardCharsets.UTF_8);
  }
}
