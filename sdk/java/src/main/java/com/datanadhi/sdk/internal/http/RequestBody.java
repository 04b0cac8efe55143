package com.datanadhi.sdk.internal.http;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The body of a request and the headers that describe it.
 *
 * @param headers the headers; the order does not matter
 */
@SuppressWarnings("ArrayRecordComponent")
record RequestBody(Map<String, String> headers, byte[] bytes) {
  /**
   * A body with the keys of its records in the header.
   *
   * @param keys the idempotency keys of the records in the body, in the same order
   */
  static RequestBody withKeys(String type, List<String> keys, byte[] bytes) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", type);
    headers.put("Idempotency-Key", listOfStrings(keys));
    return new RequestBody(headers, bytes);
  }

  /** A list of strings as in RFC 8941; keys contain neither quotes nor backslashes. */
  private static String listOfStrings(List<String> keys) {
    return '"' + String.join("\", \"", keys) + '"';
  }
}
