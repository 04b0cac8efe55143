package com.datanadhi.sdk.internal.http;

import java.net.http.HttpHeaders;
import java.util.Arrays;
import java.util.Locale;

/**
 * What a server says that it accepts, in the headers of an answer. Immutable.
 *
 * @param batches whether it accepts records as NDJSON: {@code Accept-Post} has {@code
 *     application/x-ndjson}
 * @param gzip whether it accepts bodies that are compressed with gzip: {@code Accept-Encoding} has
 *     {@code gzip}
 */
record ServerOffer(boolean batches, boolean gzip) {
  /** The offer of a server that has answered nothing yet. */
  static final ServerOffer NONE = new ServerOffer(false, false);

  /** Reads the offer from the headers of an answer. */
  static ServerOffer of(HttpHeaders headers) {
    return new ServerOffer(
        lists(headers, "Accept-Post", BatchBody.TYPE), lists(headers, "Accept-Encoding", "gzip"));
  }

  private static boolean lists(HttpHeaders headers, String name, String wanted) {
    return headers.allValues(name).stream()
        .flatMap(value -> Arrays.stream(value.split(",", -1)))
        .anyMatch(member -> accepts(member, wanted));
  }

  /** Whether a member of the list, such as {@code gzip;q=0.5}, names {@code wanted}. */
  private static boolean accepts(String member, String wanted) {
    String[] parts = member.toLowerCase(Locale.ROOT).replace(" ", "").split(";", -1);
    return parts[0].strip().equals(wanted)
        && Arrays.stream(parts).noneMatch(parameter -> parameter.matches("q=0(\\.0{0,3})?"));
  }
}
