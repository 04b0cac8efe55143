package com.datanadhi.hub.apply;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/// Decisions that a test makes. Thread-safe.
final class Decided implements ApplyDecisions {
  final Map<Long, String> skips = new ConcurrentHashMap<>();
  final List<Loss> losses = new CopyOnWriteArrayList<>();

  @Override
  public @Nullable String skipReason(String stream, long offset) {
    return skips.get(offset);
  }

  @Override
  public List<Loss> losses(String stream) {
    return new ArrayList<>(losses);
  }
}
