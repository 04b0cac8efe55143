package com.datanadhi.sdk.internal.queue;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** A record on its way. Its place is given by the queue; everything else never changes. */
public final class OutgoingRecord {
  private final List<String> pipelines;
  private final String json;
  private final String key;
  private long place = -1;

  /**
   * @param pipelines which the server runs it through, in this order
   * @param json its payload, one JSON value
   * @param key its idempotency key, on every way it takes
   */
  public OutgoingRecord(List<String> pipelines, String json, String key) {
    this.pipelines = List.copyOf(pipelines);
    this.json = json;
    this.key = key;
  }

  /** Which the server runs it through, in this order. */
  public List<String> pipelines() {
    return pipelines;
  }

  /** The payload. */
  public String json() {
    return json;
  }

  /** The payload for files of lines: in JSON a line end is a blank like any other. */
  public String jsonOnOneLine() {
    return json.replace('\n', ' ').replace('\r', ' ');
  }

  /** The idempotency key: visible ASCII, at most 255 characters, and no quote. */
  public String key() {
    return key;
  }

  /** The payload's size in UTF-8. */
  public int bytes() {
    return json.getBytes(StandardCharsets.UTF_8).length;
  }

  /** Its place in the order of {@code submit}; guarded by the queue's lock. */
  long place() {
    return place;
  }

  void place(long given) {
    place = given;
  }
}
