package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a tenant's database says about the keys of one call. Not thread-safe.
final class Lookups {
  private final View view;
  private final String tenant;
  private final Map<String, Answer> answers = new HashMap<>();
  private final Map<String, Highest> highest = new HashMap<>();
  private final IdentityHashMap<Item, Conflicting> conflicts = new IdentityHashMap<>();

  Lookups(View view, String tenant) {
    this.view = view;
    this.tenant = tenant;
  }

  /// Asks about these.
  ///
  /// @param version of the tail, read before
  /// @return whether the database could be read. If not, the keys count as unknown, and applying
  ///   decides
  boolean ask(List<Item> items, long version) throws InterruptedException {
    Answer unknown = new Answer(null, false, version);
    try {
      if (view.exists(tenant)) {
        return view.read(
            tenant,
            reader -> {
              ask(items, version, reader);
              return true;
            });
      }
      items.forEach(item -> answers.put(item.key(), unknown));
      return true;
    } catch (ViewException _) {
      items.forEach(item -> answers.put(item.key(), unknown));
      return false;
    }
  }

  private void ask(List<Item> items, long version, TenantReader reader) {
    Map<String, AppliedTransaction> rows =
        reader.applied(items.stream().map(Item::key).distinct().toList());
    Map<String, List<Interval>> intervals = new HashMap<>();
    for (Item item : items) {
      AppliedTransaction row = rows.get(item.key());
      SourceKey source = item.source();
      boolean inside = false;
      if (source != null) {
        List<Interval> stored =
            intervals.computeIfAbsent(source.source(), name -> reader.intervals(name));
        inside = contains(stored, source.number());
        highest.put(
            source.source(), new Highest(stored.isEmpty() ? 0 : stored.getLast().last(), version));
      }
      answers.put(item.key(), new Answer(row, inside, version));
      if (row != null && !row.content().equals(item.content())) {
        conflicts.put(
            item, new Conflicting(reader.hasConflict(item.key(), item.content()), version));
      }
    }
  }

  /// What was said about the key, or null.
  @Nullable Answer answer(String key) {
    return answers.get(key);
  }

  /// The highest stored number of the source, or null if it was not read.
  @Nullable Highest highest(String source) {
    return highest.get(source);
  }

  /// Whether this payload is kept as a conflict, or null if that was not asked.
  @Nullable Conflicting conflicting(Item item) {
    return conflicts.get(item);
  }

  private static boolean contains(List<Interval> intervals, long number) {
    int from = 0;
    int to = intervals.size() - 1;
    while (from <= to) {
      int middle = (from + to) >>> 1;
      Interval interval = intervals.get(middle);
      if (number < interval.first()) {
        to = middle - 1;
      } else if (number > interval.last()) {
        from = middle + 1;
      } else {
        return true;
      }
    }
    return false;
  }

  /// What is stored under a key.
  ///
  /// @param row null if the key is not known any more
  /// @param inside whether the number is in a stored interval of its source
  /// @param version of the tail when this was asked
  record Answer(@Nullable AppliedTransaction row, boolean inside, long version) {}

  /// Whether a payload is kept as a conflict.
  ///
  /// @param version of the tail when this was asked
  record Conflicting(boolean kept, long version) {}

  /// The highest stored number of a source.
  ///
  /// @param version of the tail when this was asked
  record Highest(long number, long version) {}
}
