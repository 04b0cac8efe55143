package com.datanadhi.hub.record;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.UUID;
import java.util.regex.Pattern;

/// The key of a record of `_control` that moves a consumer's cursor: `cursor-`, 32 hex digits that
/// are the same for all moves of the consumer, `-`, and a UUID.
///
/// The chain covers keys. So it is proven of a record whose content is not there any more that it
/// moved a cursor, and which later record moved the same one.
public final class CursorKey {
  /// How long the part is that all keys of a consumer have.
  public static final int CONSUMER_LENGTH = 39;

  private static final String START = "cursor-";
  private static final int DIGITS = CONSUMER_LENGTH - START.length();
  private static final Pattern KEY =
      Pattern.compile(START + "[0-9a-f]{" + DIGITS + "}-[0-9a-f-]{36}");

  private CursorKey() {}

  /// A new key.
  public static String of(String tenant, String pipeline, String consumer, UUID unique) {
    MessageDigest sha = Digests.sha256();
    for (String name : new String[] {tenant, pipeline, consumer}) {
      sha.update(Digests.sha256().digest(name.getBytes(UTF_8)));
    }
    return START + Digests.hex(sha.digest()).substring(0, DIGITS) + "-" + unique;
  }

  /// Whether a record with this key moves a cursor.
  public static boolean isOne(String key) {
    return KEY.matcher(key).matches();
  }

  /// What all keys of the consumer begin with.
  ///
  /// @param key for which [#isOne] holds
  public static String consumer(String key) {
    return key.substring(0, CONSUMER_LENGTH);
  }
}
