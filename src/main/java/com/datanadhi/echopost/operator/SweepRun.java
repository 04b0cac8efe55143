package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.agent.DirectoryLock;
import com.datanadhi.echopost.agent.Workspace;
import com.datanadhi.echopost.buffer.IdleBuffer;
import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.buffer.Sweep;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Carries a sweep through to its end, slice by slice: by the living agent, as long as there is
/// one, else under the directory's lock, which is given up every so often. An agent may come or go
/// meanwhile, and another operator do the same: each slice takes what is there.
final class SweepRun {
  /// With the closing of the file it makes less than the half second that a spawned agent can
  /// spare.
  private static final Duration HOLD = Duration.ofMillis(250);

  /// Longer than an agent that waits for the lock takes to look again.
  private static final Duration GIVE_WAY = Duration.ofMillis(25);

  /// An agent that has the lock and does not answer is starting or leaving, which takes it less.
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Duration PROGRESS_EVERY = Duration.ofSeconds(2);
  private static final int DAMAGED_NAMED = 10;

  private final Path directory;
  private final PrintStream progress;
  private final Clock clock;
  private final Waiter waiter = new Waiter();
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
    long deadline = clock.nanos() + PATIENCE.toNanos();
    while (!rest.isComplete()) {
      long before = rest.afterId();
      if (Files.exists(Workspace.socketIn(directory))) {
        askAgent();
      }
      if (!rest.isComplete() && !doUnderLock() && clock.nanos() - deadline > 0) {
        throw new StorageException(
            "another process holds " + directory.resolve("agent.lock") + " and does not answer");
      }
      if (!rest.isComplete()) {
        waiter.await(GIVE_WAY);
      }
      if (rest.afterId() != before) {
        deadline = clock.nanos() + PATIENCE.toNanos();
      }
    }
    if (damaged > DAMAGED_NAMED) {
      progress.println("echopost: " + (damaged - DAMAGED_NAMED) + " more stay for the same reason");
    }
  }

  private void askAgent() throws StorageException, InterruptedException {
    try (AgentClient agent = AgentClient.connect(Workspace.socketIn(directory))) {
      while (agent != null && !rest.isComplete()) {
        Sweep.@Nullable Slice slice = agent.sweep(rest);
        if (slice == null) {
          answerLost = true;
          return;
        }
        byAgent = true;
        note(slice);
      }
    }
  }

  /// @return false when somebody else holds the lock
  private boolean doUnderLock() throws StorageException, IOException, InterruptedException {
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, clock)) {
      if (lock == null) {
        return false;
      }
      long deadline = clock.nanos() + HOLD.toNanos();
      try (IdleBuffer buffer = IdleBuffer.open(directory)) {
        while (!rest.isComplete() && clock.nanos() - deadline < 0) {
          byAgent = false;
          note(buffer.sweep(rest));
        }
      }
      return true;
    }
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
