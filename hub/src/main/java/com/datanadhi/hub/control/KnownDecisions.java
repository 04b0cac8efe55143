package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.view.LossRow;
import com.datanadhi.hub.view.SkipRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The skips and losses in memory. Thread-safe.
final class KnownDecisions implements ApplyDecisions {
  private final Map<String, Map<Long, String>> skips = new ConcurrentHashMap<>();
  private final Map<String, List<Loss>> losses = new ConcurrentHashMap<>();

  void clear() {
    skips.clear();
    losses.clear();
  }

  void put(SkipRow row) {
    skips
        .computeIfAbsent(row.stream(), _ -> new ConcurrentHashMap<>())
        .putIfAbsent(row.offset(), row.reason());
  }

  void put(LossRow row) {
    Loss loss = new Loss(row.first(), row.last(), row.reason());
    losses.merge(
        row.stream(),
        List.of(loss),
        (before, _) -> {
          List<Loss> all = new ArrayList<>(before);
          all.remove(loss);
          all.add(loss);
          all.sort(Comparator.comparingLong(Loss::first));
          return List.copyOf(all);
        });
  }

  @Override
  public @Nullable String skipReason(String stream, long offset) {
    Map<Long, String> reasons = skips.get(stream);
    return reasons == null ? null : reasons.get(offset);
  }

  @Override
  public List<Loss> losses(String stream) {
    return losses.getOrDefault(stream, List.of());
  }
}
