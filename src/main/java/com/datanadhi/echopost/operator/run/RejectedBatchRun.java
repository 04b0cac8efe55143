package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.OfflineBuffer;
import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Carries a sweep through to its end, by the living agent or without one.
public final class RejectedBatchRun implements BatchRun.Work {
  private static final int DAMAGED_NAMED = 10;

  private final Path directory;
  private final Clock clock;
  private final ProgressLine progress;
  private RejectedBatch rest;
  private long count;
  private long damaged;
  private boolean byAgent;
  private boolean answerLost;

  private RejectedBatchRun(Path directory, RejectedBatch sweep, Terminal terminal, Clock clock) {
    this.directory = directory;
    this.rest = sweep;
    this.clock = clock;
    this.progress = new ProgressLine(terminal, clock);
  }

  /// Prepares to do `action` to the records that `selection` means and that are rejected by now:
  /// those that a server rejects again meanwhile are not met twice.
  ///
  /// @param terminal where progress is said, and what was not done
  public static RejectedBatchRun of(
      Path directory, RejectedSelection selection, RejectedBatch.Action action, Terminal terminal)
      throws StorageException {
    try (RejectedList list = RejectedList.open(directory)) {
      RejectedBatch sweep = selection.sweep(action, list.lastId());
      return new RejectedBatchRun(directory, sweep, terminal, Clock.system());
    }
  }

  /// Does it all.
  ///
  /// @throws StorageException when the rest cannot be done; what is done stays done
  public void run() throws StorageException, IOException, InterruptedException {
    try {
      BatchRun.run(directory, this, clock);
    } catch (StorageException | IOException failed) {
      if (count > 0) {
        progress.sayNow(counted() + " done, up to id " + rest.afterId() + "; then:");
      }
      throw failed;
    }
    if (damaged > DAMAGED_NAMED) {
      progress.sayNow((damaged - DAMAGED_NAMED) + " more stay for the same reason");
    }
  }

  @Override
  public boolean hasSlice() {
    return !rest.isComplete();
  }

  @Override
  public boolean byAgent(AgentClient agent) throws StorageException {
    RejectedBatch.@Nullable Slice slice = agent.sweep(rest);
    if (slice == null) {
      answerLost = true;
      return false;
    }
    byAgent = true;
    note(slice);
    return true;
  }

  @Override
  public void byMyself(OfflineBuffer buffer) throws StorageException {
    byAgent = false;
    note(buffer.apply(rest));
  }

  private void note(RejectedBatch.Slice slice) {
    rest = rest.after(slice);
    count += slice.count();
    List<Long> named =
        slice.damagedIds().stream().limit(Math.max(0, DAMAGED_NAMED - damaged)).toList();
    for (long id : named) {
      progress.sayNow("record " + id + " stays in 'rejected': its checksum does not match");
    }
    damaged += slice.damagedIds().size();
    progress.say(count + " so far, up to id " + slice.throughId());
  }

  /// How many records were redriven or discarded.
  public long count() {
    return count;
  }

  /// How many were not redriven, since their checksums do not match.
  public long damaged() {
    return damaged;
  }

  /// Whether an agent lives that did the last of it.
  public boolean byAgent() {
    return byAgent;
  }

  /// How many records were redriven or discarded, in words.
  public String counted() {
    // An agent that went away may have done a slice whose count nobody heard.
    return (answerLost ? "at least " : "") + records(count);
  }

  public static String records(long count) {
    return count == 1 ? "1 record" : count + " records";
  }
}
