package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.buffer.Sweep;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.UsageException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which rejected records an operator means.
///
/// @param id that one alone; null for any
/// @param status those with that status; null for any
record Selection(@Nullable Long id, @Nullable Long status) {
  private static final long LARGEST_STATUS = 999;
  private static final List<String> NAMES = List.of("id", "status", "all");

  /// The flags that say it.
  static final Map<String, Flags.Kind> FLAGS =
      Map.of("id", Flags.Kind.VALUE, "status", Flags.Kind.VALUE, "all", Flags.Kind.SWITCH);

  /// Their usage text.
  static final String USAGE =
      """
        -id N             the record with that id
        -status S         all records with that status; 0 is for damaged ones
        -all              all records
      """;

  /// The flags of a selection, and `more`.
  static Map<String, Flags.Kind> flagsAnd(Map<String, Flags.Kind> more) {
    Map<String, Flags.Kind> flags = new HashMap<>(FLAGS);
    flags.putAll(more);
    return flags;
  }

  /// Reads the one flag of [#FLAGS] that there must be.
  ///
  /// @throws UsageException when there is none, or more than one, or it is no number
  static Selection of(Flags.Parsed flags) throws UsageException {
    if (given(flags) != 1) {
      throw new UsageException("say which records: one of -id N, -status S and -all");
    }
    return new Selection(
        number(flags, "id", Long.MAX_VALUE), number(flags, "status", LARGEST_STATUS));
  }

  /// As [#of], or all records where no flag says otherwise.
  static Selection orAll(Flags.Parsed flags) throws UsageException {
    return given(flags) == 0 ? new Selection(null, null) : of(flags);
  }

  private static long given(Flags.Parsed flags) {
    return NAMES.stream()
        .filter(name -> name.equals("all") ? flags.isOn(name) : flags.values().containsKey(name))
        .count();
  }

  private static @Nullable Long number(Flags.Parsed flags, String name, long largest)
      throws UsageException {
    String text = flags.values().get(name);
    if (text == null) {
      return null;
    }
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= largest) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      throw new UsageException("-" + name + " is '" + text + "': give a number");
    }
    throw new UsageException("-" + name + " is " + text + ": there is no such number");
  }

  /// What to do with the records meant, of which `lastId` is the highest there is.
  Sweep sweep(Sweep.Action action, long lastId) {
    return id == null
        ? new Sweep(action, 0, lastId, status == null ? null : status.intValue())
        : new Sweep(action, id - 1, id, null);
  }

  /// Whether `entry` is meant.
  boolean covers(RejectedList.Entry entry) {
    return (id == null || id == entry.id()) && (status == null || status == entry.status());
  }

  @Override
  public String toString() {
    if (id != null) {
      return "with id " + id;
    }
    return status == null ? "at all" : "with status " + status;
  }
}
