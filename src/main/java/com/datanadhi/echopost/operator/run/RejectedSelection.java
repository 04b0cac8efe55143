package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.command.Arguments;
import com.datanadhi.echopost.record.RejectedBatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Which rejected records an operator means.
///
/// @param id that one alone; null for any
/// @param status those with that status; null for any
public record RejectedSelection(@Nullable Long id, @Nullable Long status) {
  private static final long LARGEST_STATUS = 999;
  private static final List<String> NAMES = List.of("id", "status", "all");

  /// The flags that say it.
  public static final List<Flag> FLAGS =
      List.of(
          Flag.of("id", "N", "the record with that id"),
          Flag.of("status", "S", "all records with that status; 0 is for damaged ones"),
          Flag.toggle("all", "all records"));

  /// Reads the one flag of [#FLAGS] that there must be.
  ///
  /// @throws UsageException when there is none, or more than one, or it is no number
  public static RejectedSelection of(Arguments arguments) throws UsageException {
    if (given(arguments) != 1) {
      throw new UsageException("say which records: one of -id N, -status S and -all");
    }
    return new RejectedSelection(
        arguments.number("id", Long.MAX_VALUE), arguments.number("status", LARGEST_STATUS));
  }

  /// As [#of], or all records where no flag says otherwise.
  public static RejectedSelection orAll(Arguments arguments) throws UsageException {
    return given(arguments) == 0 ? new RejectedSelection(null, null) : of(arguments);
  }

  private static long given(Arguments arguments) {
    return NAMES.stream()
        .filter(name ->
            name.equals("all")
                ? arguments.isOn(name)
                : arguments.flags().values().containsKey(name))
        .count();
  }

  /// What to do with the records meant, of which `lastId` is the highest there is.
  RejectedBatch sweep(RejectedBatch.Action action, long lastId) {
    return id == null
        ? new RejectedBatch(action, 0, lastId, status == null ? null : status.intValue())
        : new RejectedBatch(action, id - 1, id, null);
  }

  /// Whether `entry` is meant.
  public boolean covers(RejectedList.Summary entry) {
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
