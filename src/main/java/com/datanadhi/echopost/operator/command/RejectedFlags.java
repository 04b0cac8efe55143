package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.run.RejectedSelection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The flags that select rejected records.
final class RejectedFlags {
  private static final long LARGEST_STATUS = 999;

  static final List<Flag> FLAGS =
      List.of(
          Flag.withValue("id", "N", "the record with this id"),
          Flag.withValue(
              "status", "S", "all records with this HTTP status; 0 selects damaged records"),
          Flag.withoutValue("all", "all records"));

  private RejectedFlags() {}

  /// The selection by exactly one of [#FLAGS].
  ///
  /// @throws UsageException if none or several are given, or a value is not a valid number
  static RejectedSelection selection(Arguments arguments) throws UsageException {
    if (given(arguments) != 1) {
      throw new UsageException("select the records by one of -id N, -status S and -all");
    }
    @Nullable Long status = arguments.number("status", LARGEST_STATUS);
    return new RejectedSelection(
        arguments.number("id", Long.MAX_VALUE), status == null ? null : status.intValue());
  }

  /// As [#selection], but all records if no flag is given.
  static RejectedSelection selectionOrAll(Arguments arguments) throws UsageException {
    return given(arguments) == 0 ? RejectedSelection.ALL : selection(arguments);
  }

  private static long given(Arguments arguments) {
    return FLAGS.stream().filter(arguments::has).count();
  }
}
