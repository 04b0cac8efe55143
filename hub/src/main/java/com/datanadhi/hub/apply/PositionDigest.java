package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.StoredEvent;
import java.security.MessageDigest;

/// A digest over what the chain leaves out of records that follow each other: position and
/// durability. Not thread-safe.
public final class PositionDigest {
  private final MessageDigest sha = Digests.sha256();
  private long records;

  /// Adds the next record.
  public void add(StoredEvent event) {
    sha.update((event.position() + " " + event.durability() + "\n").getBytes(UTF_8));
    records++;
  }

  /// How many were added.
  public long records() {
    return records;
  }

  /// The digest over those that were added so far, in lower-case hex.
  public String hex() {
    try {
      return Digests.hex(((MessageDigest) sha.clone()).digest());
    } catch (CloneNotSupportedException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
