package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.buffer.IdleBuffer;
import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.buffer.Sweep;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Carries a sweep through to its end, by the living agent or without one.
final class SweepRun implements SliceRun.Work {
  private static final Duration PROGRESS_EVERY = Duration.ofSeconds(2);
  private static final int DAMAGED_NAMED = 10;

  private final Path directory;
  private final PrintStream progress;
  private final Clock clock;
  private Sweep rest;
  private long count;
  private long damaged;
  private boolean byAgent;
  private boolean answerLost;
  private long reportedNanos;

  private SweepRun(Path directory, Sweep sweep, PrintStream progress, Clock clock) {
    this.directory = directory;
    this.rest = sweep;
    this.progress = progress;
    this.clock = clock;
    this.reportedNanos = clock.nanos();
  }

  /// Prepares to do `action` to the records that `selection` means and that are rejected by now:
  /// those that a server rejects again meanwhile are not met twice.
  ///
  /// @param progress gets a line every two seconds, and what was not done
  static SweepRun of(Path directory, Selection selection, Sweep.Action action, PrintStream progress)
      throws StorageException {
    try (RejectedList list = RejectedList.open(directory)) {
      Sweep sweep = selection.sweep(action, list.lastId());
      return new SweepRun(directory, sweep, progress, Clock.system());
    }
  }

  /// Does it all.
  ///
  /// @throws StorageException when the rest cannot be done; what is done stays done
  void run() throws StorageException, IOException, InterruptedException {
    try {
      SliceRun.run(directory, this, clock);
    } catch (StorageException | IOException failed) {
      if (count > 0) {
        progress.println(
            "echopost: " + counted() + " done, up to id " + rest.afterId() + "; then:");
      }
      throw failed;
    }
    if (damaged > DAMAGED_NAMED) {
      progress.println("echopost: " + (damaged - DAMAGED_NAMED) + " more stay for the same reason");
    }
  }

  @Override
  public boolean hasSlice() {
    return !rest.isComplete();
  }

  @Override
  public boolean byAgent(AgentClient agent) throws StorageException {
    Sweep.@Nullable Slice slice = agent.sweep(rest);
    if (slice == null) {
      answerLost = true;
      return false;
    }
    byAgent = true;
    note(slice);
    return true;
  }

  @Override
  public void byMyself(IdleBuffer buffer) throws StorageException {
    byAgent = false;
    note(buffer.sweep(rest));
  }

  private void note(Sweep.Slice slice) {
    rest = rest.after(slice);
    count += slice.count();
    List<Long> named =
        slice.damagedIds().stream().limit(Math.max(0, DAMAGED_NAMED - damaged)).toList();
    for (long id : named) {
      progress.println(
          "echopost: record " + id + " stays in 'rejected': its checksum does not match");
    }
    damaged += slice.damagedIds().size();
    if (clock.nanos() - reportedNanos > PROGRESS_EVERY.toNanos()) {
      reportedNanos = clock.nanos();
      progress.println("echopost: " + count + " so far, up to id " + slice.throughId());
    }
  }

  /// How many records were redriven or discarded.
  long count() {
    return count;
  }

  /// How many were not redriven, since their checksums do not match.
  long damaged() {
    return damaged;
  }

  /// Whether an agent lives that did the last of it.
  boolean byAgent() {
    return byAgent;
  }

  /// How many records were redriven or discarded, in words.
  String counted() {
    // An agent that went away may have done a slice whose count nobody heard.
    return (answerLost ? "at least " : "") + records(count);
  }

  static String records(long count) {
    return count == 1 ? "1 record" : count + " records";
  }
}
