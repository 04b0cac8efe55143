package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;

/// Decodes percent-encoded UTF-8 strictly (RFC 3986, section 2.1).
final class PercentDecoder {
  private PercentDecoder() {}

  /// The decoded text.
  ///
  /// @param plusIsSpace as in queries
  static String decode(String text, boolean plusIsSpace) throws CharacterCodingException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    byte[] encoded = text.getBytes(UTF_8);
    for (int i = 0; i < encoded.length; i++) {
      if (encoded[i] == '%') {
        int high = i + 1 < encoded.length ? Character.digit(encoded[i + 1], 16) : -1;
        int low = i + 2 < encoded.length ? Character.digit(encoded[i + 2], 16) : -1;
        if (high < 0 || low < 0) {
          throw new CharacterCodingException();
        }
        bytes.write(high << 4 | low);
        i += 2;
      } else {
        bytes.write(plusIsSpace && encoded[i] == '+' ? ' ' : encoded[i]);
      }
    }
    return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
  }
}
