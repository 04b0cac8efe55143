package com.datanadhi.hub.record;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// The digests that tell payloads apart. A record has one digest on every way that it can take:
/// white space around it does not count, and a line end counts as a space.
public final class Digests {
  /// Never updated: a copy of it costs a fraction of a look-up of the algorithm.
  private static final MessageDigest EMPTY = empty();

  private Digests() {}

  /// A new SHA-256.
  public static MessageDigest sha256() {
    try {
      return (MessageDigest) EMPTY.clone();
    } catch (CloneNotSupportedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static MessageDigest empty() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  public static String hex(byte[] digest) {
    return HexFormat.of().formatHex(digest);
  }

  /// The digest of one record, in lower-case hex.
  public static String record(byte[] logData) {
    return hex(record(sha256(), logData));
  }

  /// What a transaction of these records is compared by.
  public static Content content(List<RecordData> records) {
    MessageDigest sha = sha256();
    byte[] digest;
    if (records.size() == 1) {
      digest = record(sha, records.getFirst().logData());
    } else {
      ByteBuffer all = ByteBuffer.allocate(32 * records.size());
      for (RecordData record : records) {
        all.put(record(sha, record.logData()));
      }
      digest = sha.digest(all.array());
    }
    return new Content(hex(digest), pipelines(records));
  }

  /// The digest of a transaction whose records have these digests, all in lower-case hex.
  public static String transaction(List<String> records) {
    if (records.size() == 1) {
      return records.getFirst();
    }
    MessageDigest sha = sha256();
    for (String record : records) {
      sha.update(HexFormat.of().parseHex(record));
    }
    return hex(sha.digest());
  }

  /// SHA-256 over the pipelines of all records in order, in lower-case hex.
  public static String pipelines(List<RecordData> records) {
    MessageDigest sha = sha256();
    for (RecordData record : records) {
      updatePipelines(sha, record.pipelines());
    }
    return hex(sha.digest());
  }

  /// Adds the number of the pipelines in 4 bytes, then each as its length in 4 bytes and its UTF-8.
  public static void updatePipelines(MessageDigest sha, List<String> pipelines) {
    sha.update(ByteBuffer.allocate(4).putInt(pipelines.size()).array());
    for (String pipeline : pipelines) {
      byte[] name = pipeline.getBytes(UTF_8);
      sha.update(ByteBuffer.allocate(4).putInt(name.length).array());
      sha.update(name);
    }
  }

  private static byte[] record(MessageDigest sha, byte[] logData) {
    int from = 0;
    int to = logData.length;
    while (from < to && isSpace(logData[from])) {
      from++;
    }
    while (to > from && isSpace(logData[to - 1])) {
      to--;
    }
    int begin = from;
    for (int i = from; i < to; i++) {
      if (logData[i] == '\n' || logData[i] == '\r') {
        sha.update(logData, begin, i - begin);
        sha.update((byte) ' ');
        begin = i + 1;
      }
    }
    sha.update(logData, begin, to - begin);
    return sha.digest();
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || b == '\t' || b == '\n' || b == '\r';
  }
}
