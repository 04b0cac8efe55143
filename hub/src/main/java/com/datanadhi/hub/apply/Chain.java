package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.StoredEvent;
import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/// The chain over a tenant's records: equal chains at equal seqs mean equal content.
///
/// `chain(0) = SHA-256(name of the tenant in UTF-8)`, and `chain(n) = SHA-256(chain(n-1) ‖ n ‖ part
/// ‖ received_at ‖ key ‖ pipelines ‖ content)`. The three numbers have 8 bytes each, big endian.
/// The key is its length in 4 bytes, then its UTF-8. The pipelines are their count in 4 bytes, then
/// each as the key is. The content is SHA-256 of `log_data`, byte for byte as it is stored.
///
/// Not thread-safe.
public final class Chain {
  private static final int DIGEST = 32;
  private static final Pattern DIGEST_HEX = Pattern.compile("[0-9a-f]{64}");

  private final MessageDigest sha = Digests.sha256();
  private final byte[] content = new byte[DIGEST];
  private final byte[] value;
  private final byte[] numbers = new byte[3 * Long.BYTES];
  private final ByteBuffer numbersBuffer = ByteBuffer.wrap(numbers);
  private final byte[] length = new byte[Integer.BYTES];
  private final ByteBuffer lengthBuffer = ByteBuffer.wrap(length);

  private Chain(byte[] value) {
    this.value = value;
  }

  /// The chain of a tenant before its first record.
  public static Chain ofTenant(String tenant) {
    return new Chain(Digests.sha256().digest(tenant.getBytes(UTF_8)));
  }

  /// A chain that continues from a value.
  ///
  /// @param hex 64 hex digits
  /// @throws IllegalArgumentException they are not
  public static Chain from(String hex) {
    byte[] value = HexFormat.of().parseHex(hex);
    if (value.length != DIGEST) {
      throw new IllegalArgumentException("a chain has 64 hex digits, this has " + hex.length());
    }
    return new Chain(value);
  }

  /// Adds a record.
  ///
  /// @param seq the record's number, one more than that of the last record added
  /// @param part its number within its transaction, from 1
  /// @param receivedAt milliseconds since 1970
  public void add(
      long seq, long part, long receivedAt, String key, List<String> pipelines, byte[] logData) {
    try {
      sha.update(logData);
      sha.digest(content, 0, DIGEST);
      add(seq, part, receivedAt, key, pipelines);
    } catch (DigestException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /// Adds a row. If its content is not there any more, its digest is taken for it: `log_data` of
  /// such a row had neither white space around it nor line ends.
  ///
  /// @param pipelines of the row
  public void add(StoredEvent row, List<String> pipelines) {
    if (row.hasContent() || !DIGEST_HEX.matcher(row.sha256()).matches()) {
      add(row.seq(), row.part(), row.receivedAt(), row.key(), pipelines, row.logData());
      return;
    }
    System.arraycopy(HexFormat.of().parseHex(row.sha256()), 0, content, 0, DIGEST);
    add(row.seq(), row.part(), row.receivedAt(), row.key(), pipelines);
  }

  /// Adds a record with this content.
  private void add(long seq, long part, long receivedAt, String key, List<String> pipelines) {
    try {
      sha.update(value);
      numbersBuffer.clear().putLong(seq).putLong(part).putLong(receivedAt);
      sha.update(numbers);
      add(key);
      addLength(pipelines.size());
      for (String pipeline : pipelines) {
        add(pipeline);
      }
      sha.update(content);
      sha.digest(value, 0, DIGEST);
    } catch (DigestException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private void add(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    addLength(bytes.length);
    sha.update(bytes);
  }

  private void addLength(int value) {
    lengthBuffer.clear().putInt(value);
    sha.update(length);
  }

  /// The chain so far, in lower-case hex.
  public String hex() {
    return HexFormat.of().formatHex(value);
  }
}
