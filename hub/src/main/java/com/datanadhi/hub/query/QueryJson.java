package com.datanadhi.hub.query;

import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.ViewState;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The JSON of answers, the same for HTTP and commands. Thread-safe.
public final class QueryJson {
  private static final JsonMapper MAPPER = JsonMapper.shared();

  private QueryJson() {}

  /// `{"tenant","key","sha256","seq","records","position","received_at"}`.
  public static String receipt(Queries.ReceiptState state) {
    return MAPPER
        .createObjectNode()
        .put("tenant", state.tenant())
        .put("key", state.key())
        .put("sha256", state.sha256())
        .put("seq", state.seq())
        .put("records", state.records())
        .put("position", state.position())
        .put("received_at", time(state.receivedAt()))
        .toString();
  }

  /// An array of `{"source","stored","complete_to","missing","last_received_at"}`. An element whose
  /// `missing` was cut has also `missing_ranges`: how many there are in all.
  public static String sources(List<SourceReport> sources) {
    ArrayNode array = MAPPER.createArrayNode();
    for (SourceReport source : sources) {
      ObjectNode node =
          array
              .addObject()
              .put("source", source.source())
              .put("stored", source.stored())
              .put("complete_to", source.completeTo());
      ArrayNode missing = node.putArray("missing");
      for (Interval range : source.missing()) {
        missing.addArray().add(range.first()).add(range.last());
      }
      if (source.cut()) {
        node.put("missing_ranges", source.missingRanges());
      }
      node.put("last_received_at", time(source.lastReceivedAt()));
    }
    return array.toString();
  }

  /// How far a tenant's database is, for `status`.
  public static String state(ViewState state) {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("tenant", state.tenant())
            .put("seq", state.seq())
            .put("first_seq", state.firstSeq())
            .put("chain", state.chain())
            .put("last_received_at", state.seq() == 0 ? null : time(state.lastReceivedAt()))
            .put("epoch", state.epoch())
            .put("stream", state.stream())
            .put("applied_offset", state.appliedOffset());
    node.putObject("log_records")
        .put("stored", state.stored())
        .put("duplicates", state.duplicates())
        .put("conflicts", state.conflicts())
        .put("skipped", state.skipped());
    return node.toString();
  }

  private static @Nullable String time(@Nullable Long millis) {
    return millis == null ? null : RecordLine.time(millis);
  }
}
