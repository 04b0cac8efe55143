package com.datanadhi.sdk.internal.json;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The names that an object has so far. A few are compared one by one, without the memory of a table
 * for each record. Not thread-safe.
 */
final class MemberNames {
  private static final int FEW = 8;

  private final String[] few = new String[FEW];
  private int count;

  /**
   * The names, each with the number of its next suffix; null while there are few, all different.
   */
  private @Nullable Map<String, Integer> numbers;

  /** Adds a name; returns it, or the name with a suffix if the object has it already. */
  String distinct(String name) {
    Map<String, Integer> table = numbers;
    if (table == null && count < FEW && !isAmongFew(name)) {
      few[count++] = name;
      return name;
    }
    if (table == null) {
      table = new HashMap<>();
      for (int i = 0; i < count; i++) {
        table.put(few[i], 2);
      }
      numbers = table;
    }
    return distinct(table, name);
  }

  private boolean isAmongFew(String name) {
    for (int i = 0; i < count; i++) {
      if (few[i].equals(name)) {
        return true;
      }
    }
    return false;
  }

  private static String distinct(Map<String, Integer> table, String name) {
    Integer number = table.putIfAbsent(name, 2);
    if (number == null) {
      return name;
    }
    String candidate = name + "_" + number;
    while (table.putIfAbsent(candidate, 2) != null) {
      number++;
      candidate = name + "_" + number;
    }
    table.put(name, number + 1);
    return candidate;
  }
}
