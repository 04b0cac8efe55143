package com.datanadhi.hub.apply;

import com.datanadhi.hub.record.CursorKey;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;

/// Goes along a tenant's records in order of seq, and compares each with its digest, and all of
/// them with the chain in the database's state. Not thread-safe.
///
/// Of a cursor's moves in `_control` only the newest needs to have its content: the chain covers
/// the digest and the key of each, and the key says whose cursor it is.
public final class HistoryWalk {
  private final ViewState state;
  private final Chain chain;
  private final PipelineNames names = new PipelineNames();
  private final List<String> faults = new ArrayList<>();

  /// By consumer: the last move of its cursor without content, unless one with content follows.
  private final Map<String, Long> withoutContent = new LinkedHashMap<>();

  private long next;
  private long records;

  /// @param state of the database that has the records
  public HistoryWalk(ViewState state) {
    this.state = state;
    next = state.firstSeq();
    chain = start(state);
  }

  private Chain start(ViewState before) {
    try {
      return Chain.from(before.chainBeforeFirst());
    } catch (IllegalArgumentException wrong) {
      faults.add(name() + ": the chain before its first record is none: " + wrong.getMessage());
      return Chain.ofTenant(before.tenant());
    }
  }

  private String name() {
    return "tenant " + state.tenant();
  }

  /// The seq that belongs next.
  long next() {
    return next;
  }

  /// How many records were added.
  long records() {
    return records;
  }

  /// Adds the next record.
  public void add(StoredEvent event) {
    if (event.seq() != next) {
      missing(event.seq() - 1);
    }
    look(event);
    try {
      chain.add(event, names.of(event.pipelines()));
    } catch (JacksonException changed) {
      faults.add(name() + ", seq " + event.seq() + ": pipelines are no names");
    }
    records++;
    next = event.seq() + 1;
  }

  private void look(StoredEvent event) {
    boolean isCursor = state.tenant().equals(TenantName.CONTROL) && CursorKey.isOne(event.key());
    if (isCursor && event.hasContent()) {
      withoutContent.remove(CursorKey.consumer(event.key()));
    } else if (isCursor && event.sha256().matches("[0-9a-f]{64}")) {
      withoutContent.put(CursorKey.consumer(event.key()), event.seq());
      return;
    }
    if (!Digests.record(event.logData()).equals(event.sha256())) {
      faults.add(name() + ", seq " + event.seq() + ": log_data was changed");
    }
  }

  /// All that is wrong, once every record was added: one line each.
  public List<String> faults() {
    withoutContent.forEach((_, seq) ->
        faults.add(
            name()
                + ", seq "
                + seq
                + ": log_data is missing, and no later record moves the cursor"));
    withoutContent.clear();
    if (next <= state.seq()) {
      missing(state.seq());
    } else if (next > state.seq() + 1) {
      faults.add(name() + ": has records behind seq " + state.seq() + ", where its state ends");
    } else if (faults.isEmpty() && !chain.hex().equals(state.chain())) {
      faults.add(
          name()
              + ": the chain over seq "
              + state.firstSeq()
              + " to "
              + state.seq()
              + " is not the one that was stored: a record was changed");
    }
    return List.copyOf(faults);
  }

  private void missing(long last) {
    faults.add(name() + ": the records from seq " + next + " to " + last + " are missing");
  }
}
