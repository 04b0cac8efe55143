package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.OfflineBuffer;
import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.Quantities;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Redrives or discards a selection of rejected records, through the running agent or without one.
public final class RejectedBatchRun implements BatchRun.Work {
  private static final int MAX_DAMAGED_NAMED = 10;

  private final Path directory;
  private final Clock clock;
  private final ProgressLine progress;
  private RejectedRange rest;
  private long count;
  private long damaged;
  private boolean byAgent;
  private boolean answerLost;

  private RejectedBatchRun(Path directory, RejectedRange range, Terminal terminal, Clock clock) {
    this.directory = directory;
    this.rest = range;
    this.clock = clock;
    this.progress = new ProgressLine(terminal, clock);
  }

  /// A run that does `action` to the selected records that are rejected at this moment. Records
  /// that the server rejects later, or again, are not included.
  ///
  /// @param terminal for progress, and for the ids of damaged records
  public static RejectedBatchRun of(
      Path directory, RejectedSelection selection, RejectedRange.Action action, Terminal terminal)
      throws StorageException {
    try (RejectedList list = RejectedList.open(directory)) {
      RejectedRange range = selection.toRange(action, list.lastId());
      return new RejectedBatchRun(directory, range, terminal, Clock.system());
    }
  }

  /// Runs to the end.
  ///
  /// @throws StorageException if the rest cannot be done; what is done stays done
  public void run() throws StorageException, IOException, InterruptedException {
    try {
      BatchRun.run(directory, this, clock);
    } catch (StorageException | IOException failed) {
      if (count > 0) {
        progress.print("failed after " + countText() + ", at id " + rest.afterId() + ":");
      }
      throw failed;
    }
    if (damaged > MAX_DAMAGED_NAMED) {
      progress.print((damaged - MAX_DAMAGED_NAMED) + " more stay rejected for the same reason");
    }
  }

  @Override
  public boolean hasBatch() {
    return !rest.isComplete();
  }

  @Override
  public boolean doWithAgent(AgentClient agent) throws StorageException {
    RejectedRange.@Nullable Batch done = agent.process(rest);
    if (done == null) {
      answerLost = true;
      return false;
    }
    byAgent = true;
    advance(done);
    return true;
  }

  @Override
  public void doOffline(OfflineBuffer buffer) throws StorageException {
    byAgent = false;
    advance(buffer.apply(rest));
  }

  private void advance(RejectedRange.Batch done) {
    rest = rest.after(done);
    count += done.count();
    List<Long> named =
        done.damagedIds().stream().limit(Math.max(0, MAX_DAMAGED_NAMED - damaged)).toList();
    for (long id : named) {
      progress.print("record " + id + " stays rejected: its checksum does not match");
    }
    damaged += done.damagedIds().size();
    progress.update(Quantities.records(count) + " so far, up to id " + done.throughId());
  }

  /// The number of records that were redriven or discarded. If an agent exited before it answered,
  /// there may be more.
  public long count() {
    return count;
  }

  /// The number of records that were not redriven because their checksums do not match.
  public long damaged() {
    return damaged;
  }

  /// Whether the last batch was done by a running agent.
  public boolean byAgent() {
    return byAgent;
  }

  /// [#count] as text.
  public String countText() {
    return (answerLost ? "at least " : "") + Quantities.records(count);
  }
}
