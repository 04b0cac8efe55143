package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.buffer.Totals;
import tools.jackson.core.JsonGenerator;

/// The ledger for scripts.
final class Ledger {
  private Ledger() {}

  static void write(Totals totals, JsonGenerator json) {
    json.writeName("ledger");
    json.writeStartObject();
    json.writeNumberProperty("accepted", totals.accepted());
    json.writeNumberProperty("delivered", totals.delivered());
    json.writeNumberProperty("pending", totals.pending());
    json.writeNumberProperty("rejected", totals.rejected());
    json.writeNumberProperty("discarded", totals.discarded());
    json.writeEndObject();
  }
}
