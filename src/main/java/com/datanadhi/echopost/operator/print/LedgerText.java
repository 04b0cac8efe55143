package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.record.Totals;
import tools.jackson.core.JsonGenerator;

/// The ledger as text and as JSON.
public final class LedgerText {
  private LedgerText() {}

  public static String text(Totals totals) {
    return "accepted %d = delivered %d + pending %d + rejected %d + discarded %d"
        .formatted(
            totals.accepted(),
            totals.delivered(),
            totals.pending(),
            totals.rejected(),
            totals.discarded());
  }

  /// Writes the member `ledger`.
  public static void write(Totals totals, JsonGenerator json) {
    json.writeObjectPropertyStart("ledger");
    json.writeNumberProperty("accepted", totals.accepted());
    json.writeNumberProperty("delivered", totals.delivered());
    json.writeNumberProperty("pending", totals.pending());
    json.writeNumberProperty("rejected", totals.rejected());
    json.writeNumberProperty("discarded", totals.discarded());
    json.writeEndObject();
  }
}
