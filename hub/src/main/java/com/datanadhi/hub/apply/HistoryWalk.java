package com.datanadhi.hub.apply;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Goes along a tenant's records in order of seq, and compares each with its digest, and all of
/// them with the chain in the database's state. Not thread-safe.
public final class HistoryWalk {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};

  private final ViewState state;
  private final Chain chain;
  private final List<String> faults = new ArrayList<>();
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
    if (!digest(event).equals(event.sha256())) {
      faults.add(name() + ", seq " + event.seq() + ": log_data was changed");
    }
    try {
      add(chain, event);
    } catch (JacksonException changed) {
      faults.add(name() + ", seq " + event.seq() + ": pipelines are no names");
    }
    records++;
    next = event.seq() + 1;
  }

  /// All that is wrong, once every record was added: one line each.
  public List<String> faults() {
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

  private static String digest(StoredEvent event) {
    return Digests.content(List.of(new RecordData(List.of(), event.logData()))).digest();
  }

  /// Adds a record to a chain.
  ///
  /// @throws JacksonException its pipelines are no JSON array of strings
  static void add(Chain chain, StoredEvent event) {
    chain.add(
        event.seq(),
        event.part(),
        event.receivedAt(),
        event.key(),
        JSON.readValue(event.pipelines(), NAMES),
        event.logData());
  }
}
