package com.datanadhi.hub.query;

import com.datanadhi.hub.view.EventFilter;

/// Filters for tests.
public final class Filters {
  private Filters() {}

  public static EventFilter from(long seq) {
    return new EventFilter(seq, Integer.MAX_VALUE, null, null, null);
  }
}
