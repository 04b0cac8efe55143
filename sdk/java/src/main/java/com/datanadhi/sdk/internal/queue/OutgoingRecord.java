package com.datanadhi.sdk.internal.queue;

import com.datanadhi.sdk.internal.json.FlatPayload;
import com.datanadhi.sdk.internal.json.Utf8;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record that is to be delivered. Immutable for its users, except for the time at which it was
 * offered, its position and its group, each of which is set once before other threads read it.
 */
public final class OutgoingRecord {
  /** The key, the objects around the texts and the places in the queue, for a 64-bit JVM. */
  private static final int OVERHEAD_BYTES = 256;

  private final List<String> pipelines;
  private final String key;
  private final long heapBytes;

  /** Null if the JSON is there from the beginning. */
  private final @Nullable FlatPayload payload;

  /** Threads that need it at the same time may each make it; it is immutable. */
  private @Nullable Encoded encoded;

  private long offeredAt;
  private long position = -1;
  private Outstanding.@Nullable Group group;

  /**
   * @param pipelines the pipelines that the server runs, in this order
   * @param json the payload, one JSON value
   * @param key the idempotency key, the same for every delivery of this record
   */
  public OutgoingRecord(List<String> pipelines, String json, String key) {
    this.pipelines = List.copyOf(pipelines);
    this.key = key;
    this.payload = null;
    Encoded given = Encoded.of(json);
    this.encoded = given;
    this.heapBytes = heapBytes(json.length(), given.bytes() == json.length());
  }

  /**
   * A record whose payload is encoded as soon as a method needs its JSON.
   *
   * @param pipelines the pipelines that the server runs, in this order
   * @param key the idempotency key, the same for every delivery of this record
   */
  public OutgoingRecord(List<String> pipelines, FlatPayload payload, String key) {
    this.pipelines = List.copyOf(pipelines);
    this.key = key;
    this.payload = payload;
    this.heapBytes = heapBytes(payload.chars(), payload.isAscii());
  }

  private static long heapBytes(long chars, boolean isAscii) {
    return OVERHEAD_BYTES + (isAscii ? chars : 2 * chars);
  }

  /** The pipelines that the server runs, in this order. */
  public List<String> pipelines() {
    return pipelines;
  }

  /** The payload. */
  public String json() {
    return encoded().json();
  }

  private Encoded encoded() {
    Encoded made = encoded;
    if (made == null) {
      made = Encoded.of(Objects.requireNonNull(payload).json());
      encoded = made;
    }
    return made;
  }

  /** The payload without line breaks, for JSON Lines: outside strings they are only white space. */
  public String jsonOnOneLine() {
    return json().replace('\n', ' ').replace('\r', ' ');
  }

  /** Whether the payload contains line breaks, so that it cannot be a line as it is. */
  public boolean hasLineBreaks() {
    return json().indexOf('\n') >= 0 || json().indexOf('\r') >= 0;
  }

  /** The idempotency key: at most 255 visible ASCII characters, no quote and no backslash. */
  public String key() {
    return key;
  }

  /** The size of the payload in UTF-8, in bytes. */
  public int bytes() {
    return encoded().bytes();
  }

  /**
   * About how many bytes of the heap the record occupies: 256, and one per character of the
   * payload, or two if it has characters outside ASCII. A payload that is not encoded yet counts 32
   * characters more per member.
   */
  public long heapBytes() {
    return heapBytes;
  }

  /** When the record was offered to the queue, in nanoseconds of the queue's clock. */
  long offeredAt() {
    return offeredAt;
  }

  void setOfferedAt(long nanos) {
    offeredAt = nanos;
  }

  /** The position in the order of {@code submit}, or -1; guarded by the queue's lock. */
  long position() {
    return position;
  }

  void setPosition(long newPosition) {
    position = newPosition;
  }

  /** The group in which the record is outstanding. */
  Outstanding.Group group() {
    return Objects.requireNonNull(group, "the record is not counted");
  }

  void setGroup(Outstanding.Group newGroup) {
    group = newGroup;
  }

  /**
   * The payload as JSON.
   *
   * @param bytes its size in UTF-8
   */
  private record Encoded(String json, int bytes) {
    static Encoded of(String json) {
      return new Encoded(json, Math.toIntExact(Utf8.length(json)));
    }
  }
}
