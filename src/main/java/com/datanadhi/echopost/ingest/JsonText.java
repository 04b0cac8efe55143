package com.datanadhi.echopost.ingest;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/// Says whether bytes are one JSON text by RFC 8259, in UTF-8, without building anything from them.
///
/// Strict: no byte order mark, no NaN, no comments, no trailing text, nothing nested more than
/// 1,000 levels deep (section 9 of the RFC lets an implementation set such a limit). Thread-safe.
final class JsonText {
  private static final int DEEPEST = 1_000;
  private static final int DETECTED_BYTES = 4;

  private final JsonFactory factory =
      JsonFactory.builder()
          // Names come from strangers: none is kept for the life of the process.
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEEPEST)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  /// What is wrong with `text`, for the person who sent it; null when it is JSON.
  @Nullable String problem(byte[] text) {
    ByteString bytes = UnsafeByteOperations.unsafeWrap(text);
    if (!bytes.isValidUtf8()) {
      return "it is not UTF-8";
    }
    if (text.length >= 3 && (text[0] & 0xFF) == 0xEF && (text[1] & 0xFF) == 0xBB) {
      return "it begins with a byte order mark";
    }
    for (int i = 0; i < Math.min(DETECTED_BYTES, text.length); i++) {
      if (text[i] == 0) {
        // The parser would take it for UTF-16 or UTF-32, which it tells by these bytes.
        return "it holds a zero byte";
      }
    }
    String problem = grammarProblem(text);
    byte[] harmless = problem == null ? null : withoutSurrogateEscapes(text);
    return harmless == null ? problem : grammarProblem(harmless);
  }

  /// The parser refuses an escaped lone surrogate in a name, which the RFC allows (section 8.2) and
  /// Python, for one, writes. Which character an escape means is nothing to the grammar.
  ///
  /// @return null when there is none
  private static byte @Nullable [] withoutSurrogateEscapes(byte[] text) {
    byte[] copy = null;
    for (int i = 2; i < text.length; i++) {
      if ((text[i] | 0x20) == 'd' && text[i - 1] == 'u' && text[i - 2] == '\\') {
        copy = copy == null ? text.clone() : copy;
        copy[i] = '0';
      }
    }
    return copy;
  }

  private @Nullable String grammarProblem(byte[] text) {
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), text)) {
      return problem(parser, text);
    }
  }

  private static @Nullable String problem(JsonParser parser, byte[] text) {
    int depth = 0;
    int values = 0;
    try {
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (depth == 0 && ++values > 1) {
          return "there is more after its end";
        }
        if (token.isStructStart()) {
          depth++;
        } else if (token.isStructEnd()) {
          depth--;
        }
      }
      return values == 0 ? "it is empty" : null;
    } catch (StreamConstraintsException _) {
      return "it is nested more than " + DEEPEST + " levels deep";
    } catch (UnexpectedEndOfInputException _) {
      return "it ends in the middle";
    } catch (StreamReadException bad) {
      return values == 1 && depth == 0
          ? "there is more after its end"
          : "it breaks the grammar near byte " + byteOffset(text, bad.getLocation());
    }
  }

  // The parser counts characters.
  private static int byteOffset(byte[] text, TokenStreamLocation at) {
    String characters = new String(text, StandardCharsets.UTF_8);
    int offset = Math.clamp(at.getCharOffset(), 0, characters.length());
    return characters.substring(0, offset).getBytes(StandardCharsets.UTF_8).length;
  }
}
