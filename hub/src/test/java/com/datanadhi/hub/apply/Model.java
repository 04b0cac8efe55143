package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.EventCodec.InvalidBodyException;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What the contract says of one tenant, in maps and one record at a time: the reference.
final class Model {
  final List<String> events = new ArrayList<>();
  final Set<String> conflicts = new LinkedHashSet<>();
  final List<Long> quarantine = new ArrayList<>();
  final Map<String, TreeSet<Long>> numbers = new TreeMap<>();
  final Map<String, Long> storedAt = new TreeMap<>();
  private final Map<String, Content> contents = new HashMap<>();
  final Chain chain;
  long seq;
  long last;
  long forgotten;
  long stored;
  long duplicates;
  long conflicting;

  private final String tenant;
  private final ApplyDecisions decisions;

  Model(String tenant, ApplyDecisions decisions) {
    this.tenant = tenant;
    this.decisions = decisions;
    chain = Chain.ofTenant(tenant);
  }

  void apply(LogEntry entry) throws InvalidBodyException {
    EventBody body = EventCodec.decode(entry.payload());
    if (!body.transactions().getFirst().tenant().equals(tenant)) {
      return;
    }
    if (decisions.skipReason("events-0", entry.offset()) != null) {
      quarantine.add(entry.offset());
      return;
    }
    long receivedAt = Math.max(last, entry.time());
    forgotten = Math.max(forgotten, receivedAt - body.keyHorizonMillis());
    int storedHere = 0;
    int conflictsHere = 0;
    for (Transaction t : body.transactions()) {
      Long at = storedAt.get(t.key());
      boolean isKnown = at != null && at >= forgotten;
      if (entry.type() == EventBody.CONFLICT) {
        conflict(t);
        conflictsHere++;
      } else if (isKnown) {
        if (!t.content().equals(contents.get(t.key()))) {
          conflict(t);
          conflictsHere++;
        }
      } else {
        SourceKey source = SourceKey.parse(t.key());
        if (source != null
            && numbers.getOrDefault(source.source(), new TreeSet<>()).contains(source.number())) {
          continue;
        }
        storedHere++;
        last = receivedAt;
        storedAt.put(t.key(), receivedAt);
        contents.put(t.key(), t.content());
        if (source != null) {
          numbers.computeIfAbsent(source.source(), s -> new TreeSet<>()).add(source.number());
        }
        long part = 0;
        for (RecordData record : t.records()) {
          chain.add(++seq, ++part, receivedAt, t.key(), record.pipelines(), record.logData());
          events.add(seq + " " + t.key() + " " + part + " " + receivedAt);
        }
      }
    }
    if (storedHere > 0) {
      stored++;
    } else if (conflictsHere > 0) {
      conflicting++;
    } else {
      duplicates++;
    }
  }

  private void conflict(Transaction t) {
    conflicts.add(t.key() + " " + t.content().digest() + " " + t.content().pipelinesDigest());
  }

  /// The intervals of a source as `first-last`.
  List<String> intervals() {
    List<String> runs = new ArrayList<>();
    numbers.forEach((source, all) -> {
      long first = all.first();
      long before = first;
      for (long n : all.tailSet(first, false)) {
        if (n != before + 1) {
          runs.add(source + " " + first + "-" + before);
          first = n;
        }
        before = n;
      }
      runs.add(source + " " + first + "-" + before);
    });
    return runs;
  }
}
