package com.datanadhi.sdk.internal.http;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The body of a server's answer to a batch: {@code
 * {"stored":N,"errors":[{"line":1,"status":422,"title":"…","detail":"…"}]}}. Every line is either
 * stored or in {@code errors}. Unknown members are ignored. Immutable.
 *
 * @param rejected the final statuses of the lines in {@code errors}, by line number; the first line
 *     has the number 1
 */
record BatchAnswer(Map<Integer, Integer> rejected) {
  /** The largest answer that is read; a longer one is not understood. */
  static final int MAX_BYTES = 1 << 20;

  private static final int MAX_LEVELS = 32;

  BatchAnswer {
    rejected = Map.copyOf(rejected);
  }

  /**
   * Reads an answer. What the server says about a batch is believed as a whole or not at all.
   *
   * @param lines the number of lines in the batch
   * @throws IOException if the body is not such an answer, contradicts itself or the batch, or has
   *     a status in {@code errors} that is not final; the message says what
   */
  static BatchAnswer parse(byte[] body, int lines) throws IOException {
    if (body.length > MAX_BYTES) {
      throw new IOException("it is longer than " + MAX_BYTES + " bytes");
    }
    try (JsonReader reader = new JsonReader(new StringReader(text(body)))) {
      reader.setStrictness(Strictness.STRICT);
      reader.setNestingLimit(MAX_LEVELS);
      BatchAnswer answer = parse(reader, lines);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new IOException("there is more text after the JSON object");
      }
      return answer;
    } catch (IllegalStateException
        | NumberFormatException
        | MalformedJsonException
        | EOFException notJson) {
      // The message of Gson has a second line, with a link.
      String reason = String.valueOf(notJson.getMessage()).lines().findFirst().orElse("");
      throw new IOException("it is not the expected JSON: " + reason, notJson);
    }
  }

  private static String text(byte[] body) throws IOException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(body))
          .toString();
    } catch (CharacterCodingException notText) {
      throw new IOException("it is not text in UTF-8; it must not be compressed", notText);
    }
  }

  private static BatchAnswer parse(JsonReader reader, int lines) throws IOException {
    int stored = -1;
    Map<Integer, Integer> rejected = new TreeMap<>();
    Set<String> seen = new HashSet<>();
    reader.beginObject();
    while (reader.hasNext()) {
      String name = uniqueName(reader, seen);
      switch (name) {
        case "stored" -> stored = number(reader);
        case "errors" -> readErrors(reader, lines, rejected);
        default -> reader.skipValue();
      }
    }
    reader.endObject();
    if (!seen.contains("stored") || !seen.contains("errors")) {
      throw new IOException("it has no member \"stored\" or \"errors\"");
    }
    if (stored != lines - rejected.size()) {
      throw new IOException(
          "it counts %d stored lines and %d errors in a batch of %d"
              .formatted(stored, rejected.size(), lines));
    }
    return new BatchAnswer(rejected);
  }

  private static void readErrors(JsonReader reader, int lines, Map<Integer, Integer> rejected)
      throws IOException {
    reader.beginArray();
    while (reader.hasNext()) {
      readError(reader, lines, rejected);
    }
    reader.endArray();
  }

  private static void readError(JsonReader reader, int lines, Map<Integer, Integer> rejected)
      throws IOException {
    int line = 0;
    int status = 0;
    Set<String> seen = new HashSet<>();
    reader.beginObject();
    while (reader.hasNext()) {
      switch (uniqueName(reader, seen)) {
        case "line" -> line = number(reader);
        case "status" -> status = number(reader);
        default -> reader.skipValue();
      }
    }
    reader.endObject();
    if (line < 1 || line > lines) {
      throw new IOException("it names line " + line + " of a batch of " + lines);
    }
    if (StatusMeaning.of(status) != StatusMeaning.FINAL) {
      throw new IOException(
          "it gives line " + line + " the status " + status + ", not a final one");
    }
    if (rejected.put(line, status) != null) {
      throw new IOException("it names line " + line + " twice");
    }
  }

  private static String uniqueName(JsonReader reader, Set<String> seen) throws IOException {
    String name = reader.nextName();
    if (!seen.add(name)) {
      throw new IOException("it has the member \"" + name + "\" twice");
    }
    return name;
  }

  private static int number(JsonReader reader) throws IOException {
    if (reader.peek() != JsonToken.NUMBER) {
      throw new IOException("a number is not one");
    }
    return Integer.parseInt(reader.nextString());
  }
}
