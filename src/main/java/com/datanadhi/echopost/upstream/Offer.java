package com.datanadhi.echopost.upstream;

import java.util.List;
import java.util.Locale;

/// What the main server takes besides one record a request, by its newest 2xx response. Immutable.
///
/// @param batches many records in one request
/// @param gzip packed bodies of batches
public record Offer(boolean batches, boolean gzip) {
  /// One record a request.
  public static final Offer NONE = new Offer(false, false);

  private static final String NDJSON = "application/x-ndjson";
  private static final String GZIP = "gzip";

  /// Reads the lines of the headers `Accept-Post` (W3C Linked Data Platform 1.0, section 7.1) and
  /// `Accept-Encoding` in a response (RFC 9110, section 12.5.3).
  static Offer of(List<String> acceptPost, List<String> acceptEncoding) {
    boolean batches = lists(acceptPost, NDJSON);
    return batches ? new Offer(true, lists(acceptEncoding, GZIP)) : NONE;
  }

  private static boolean lists(List<String> lines, String wanted) {
    for (String line : lines) {
      for (String element : line.split(",", -1)) {
        String[] parts = element.toLowerCase(Locale.ROOT).split(";", -1);
        if (parts[0].strip().equals(wanted)) {
          return !isRefused(parts);
        }
      }
    }
    return false;
  }

  /// Whether a parameter is the weight zero: "not acceptable".
  private static boolean isRefused(String... parts) {
    for (int i = 1; i < parts.length; i++) {
      if (parts[i].strip().matches("q=0(\\.0{0,3})?")) {
        return true;
      }
    }
    return false;
  }
}
