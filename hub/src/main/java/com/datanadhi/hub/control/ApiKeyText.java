package com.datanadhi.hub.control;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import java.security.SecureRandom;
import java.util.Base64;

/// The text of API keys: a prefix and 32 random bytes in URL-safe base64.
///
/// The prefix makes a key that leaked into a log, a repository or a chat recognisable, for people
/// and for scanners of secrets, which search by such prefixes.
final class ApiKeyText {
  static final String PREFIX = "dnhub_";

  private static final int BYTES = 32;
  private static final String ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
  private static final int ID_LENGTH = 10;

  private static final SecureRandom RANDOM = new SecureRandom();

  private ApiKeyText() {}

  static String newKey() {
    byte[] secret = new byte[BYTES];
    RANDOM.nextBytes(secret);
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
  }

  /// A new id for a key: 50 random bits, in letters and digits that people do not confuse.
  static String newId() {
    StringBuilder id = new StringBuilder(ID_LENGTH);
    for (int i = 0; i < ID_LENGTH; i++) {
      id.append(ID_LETTERS.charAt(RANDOM.nextInt(ID_LETTERS.length())));
    }
    return id.toString();
  }

  static byte[] digest(String key) {
    return Digests.sha256().digest(key.getBytes(UTF_8));
  }
}
