package com.datanadhi.hub.apply;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// Compares what a canonical.db says beside its records with what follows from them: the keys that
/// are known, and the numbers of the sources. The records themselves are for [HistoryWalk]. Not
/// thread-safe.
///
/// Records that have left the database had keys and numbers too: what can be theirs is not judged.
public final class DerivedRows {
  private static final int BATCH = 1_000;
  private static final int MAX_FAULTS = 10;

  private final TenantReader reader;
  private final ViewState state;
  private final boolean isComplete;
  private final Map<String, Source> sources = new HashMap<>();
  private final Map<String, AppliedTransaction> batch = new LinkedHashMap<>();
  private final List<String> faults = new ArrayList<>();
  private final PipelineNames names = new PipelineNames();

  // The transaction whose records are being added.
  private final List<String> digests = new ArrayList<>();
  private final List<RecordData> pipelines = new ArrayList<>();
  private @Nullable StoredEvent first;
  private boolean hasContent = true;
  private long keys;

  /// @param reader of the database, which nobody writes
  public DerivedRows(TenantReader reader) {
    this.reader = reader;
    state = reader.state();
    isComplete = state.firstSeq() == 1;
    reader.sources(null).forEach(source -> sources.put(source.source(), new Source(source)));
    sources.forEach((name, source) -> {
      if (!source.isInOrder()) {
        fault("the numbers of the source " + name + " are not runs that follow each other");
      }
    });
  }

  /// What the database says of a source, and what its records say.
  private static final class Source {
    private final SourceState stored;
    private long numbers;
    private long lastReceivedAt;

    private Source(SourceState stored) {
      this.stored = stored;
    }

    boolean isInOrder() {
      long before = -1;
      for (Interval run : stored.intervals()) {
        if (run.first() < 1 || run.first() <= before + 1 || run.last() < run.first()) {
          return false;
        }
        before = run.last();
      }
      return true;
    }

    boolean has(long number) {
      int low = 0;
      int high = stored.intervals().size() - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        Interval run = stored.intervals().get(middle);
        if (number < run.first()) {
          high = middle - 1;
        } else if (number > run.last()) {
          low = middle + 1;
        } else {
          return true;
        }
      }
      return false;
    }

    /// Whether the database has as much as the records say, or at least as much.
    boolean is(boolean exactly) {
      long stands =
          stored.intervals().stream().mapToLong(run -> run.last() - run.first() + 1).sum();
      return exactly
          ? stands == numbers && stored.lastReceivedAt() == lastReceivedAt
          : stands >= numbers && stored.lastReceivedAt() >= lastReceivedAt;
    }
  }

  /// Adds the next record, in order of seq.
  public void add(StoredEvent event) {
    StoredEvent begin = first;
    if (event.part() == 1 || begin == null) {
      endTransaction();
      first = event;
    } else if (event.part() != digests.size() + 1
        || !event.key().equals(begin.key())
        || !event.position().equals(begin.position())
        || !event.durability().equals(begin.durability())) {
      fault("the transaction with seq " + event.seq() + " is torn");
    }
    hasContent &= event.hasContent();
    digests.add(event.sha256());
    pipelines.add(new RecordData(pipelines(event), new byte[0]));
  }

  private List<String> pipelines(StoredEvent event) {
    try {
      return names.of(event.pipelines());
    } catch (JacksonException changed) {
      // [HistoryWalk] tells it.
      return List.of();
    }
  }

  private void endTransaction() {
    StoredEvent begin = first;
    if (begin == null) {
      return;
    }
    SourceKey source = SourceKey.parse(begin.key());
    if (source != null) {
      add(source, begin);
    }
    if (begin.receivedAt() >= state.keysForgottenBefore() && hasContent) {
      batch.put(
          begin.key(),
          new AppliedTransaction(
              begin.key(),
              new Content(Digests.transaction(digests), Digests.pipelines(pipelines)),
              begin.seq(),
              digests.size(),
              begin.receivedAt(),
              begin.position(),
              begin.durability()));
    }
    first = null;
    hasContent = true;
    digests.clear();
    pipelines.clear();
    if (batch.size() >= BATCH) {
      lookUp();
    }
  }

  private void add(SourceKey key, StoredEvent event) {
    Source source = sources.get(key.source());
    if (source == null || !source.has(key.number())) {
      fault("the number of seq " + event.seq() + " is missing from its source " + key.source());
    } else {
      source.numbers++;
      source.lastReceivedAt = Math.max(source.lastReceivedAt, event.receivedAt());
    }
  }

  private void lookUp() {
    Map<String, AppliedTransaction> stored = reader.applied(batch.keySet());
    for (AppliedTransaction wanted : batch.values()) {
      AppliedTransaction found = stored.get(wanted.key());
      if (found == null) {
        fault("the key of seq " + wanted.firstSeq() + " is missing");
      } else if (found.equals(wanted)) {
        keys++;
      } else if (found.firstSeq() <= wanted.firstSeq()) {
        fault("the key of seq " + wanted.firstSeq() + " is not what its records say");
      }
      // Else the key was forgotten, and a later transaction has it: it comes in its turn.
    }
    batch.clear();
  }

  /// All that is wrong, once every record was added: one line each.
  public List<String> faults() {
    endTransaction();
    lookUp();
    long stored = reader.countKeys(isComplete ? Long.MIN_VALUE : state.firstSeq());
    if (stored != keys && faults.isEmpty()) {
      fault("has " + stored + " keys, and its records have " + keys);
    }
    sources.forEach((name, source) -> {
      if (!source.is(isComplete)) {
        fault("the numbers of the source " + name + " are not those of its records");
      }
    });
    if (isComplete && !reader.itemsLeft().isEmpty()) {
      fault("has items that left with records, and no record has left");
    }
    return List.copyOf(faults);
  }

  private void fault(String what) {
    if (faults.size() < MAX_FAULTS) {
      faults.add("tenant " + state.tenant() + ": " + what);
    }
  }
}
