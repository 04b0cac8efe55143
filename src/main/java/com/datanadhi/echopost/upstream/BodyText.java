package com.datanadhi.echopost.upstream;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpUtil;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The start of a response's body as text that a person can read.
final class BodyText {
  private BodyText() {}

  /// @param start the first bytes of the body
  /// @param length the bytes of the whole body that were read
  static String of(HttpHeaders headers, byte[] start, int length) {
    if (length == 0) {
      return "";
    }
    @Nullable String encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING);
    if (encoding != null && !encoding.strip().equalsIgnoreCase("identity")) {
      String name = encoding.strip().replaceAll("[^A-Za-z0-9, _-]", "?");
      return "(" + name + "-encoded, " + length + " bytes)";
    }
    Charset charset =
        HttpUtil.getCharset(headers.get(HttpHeaderNames.CONTENT_TYPE, ""), StandardCharsets.UTF_8);
    CharBuffer text = CharBuffer.allocate(start.length);
    // A character that is cut at the end is left out; one that is malformed is replaced.
    var _ =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE)
            .decode(ByteBuffer.wrap(start), text, start.length == length);
    // The sqlite3 program shows a text only up to its first NUL.
    return text.flip().toString().replace('\0', '\uFFFD');
  }
}
