package com.datanadhi.hub.control;

import static com.datanadhi.hub.control.ControlLog.STREAM;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.apply.ApplyFunction;
import com.datanadhi.hub.apply.PoisonException;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.ApiKeyRow;
import com.datanadhi.hub.view.ControlReader;
import com.datanadhi.hub.view.LossRow;
import com.datanadhi.hub.view.SkipRow;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Brings memory and the database of `_control` up to the stream's head.
///
/// Records are applied in the order of the log, under one lock. Whoever comes to the lock first
/// applies all that is stable, so callers that run at the same time share an fsync and a
/// transaction. Memory follows the stream even while the database cannot be written. A database
/// that is damaged or missing is rebuilt from the stream. Thread-safe.
final class ControlFollower {
  private final ControlLog log;
  private final TenantDatabases databases;
  private final KnownKeys keys;
  private final KnownDecisions decisions;
  private final ApplyFunction function;

  private volatile boolean ready;
  private volatile @Nullable String problem;

  private final ReentrantLock lock = new ReentrantLock();
  // Guarded by the lock: the offsets up to which memory and the database are.
  private long memoryOffset = -1;
  private volatile long databaseOffset = -1;
  private boolean databaseLoaded;
  private @Nullable Loss damage;
  private final List<Loss> passedOver = new ArrayList<>();

  ControlFollower(
      ControlLog log, TenantDatabases databases, KnownKeys keys, KnownDecisions decisions) {
    this.log = log;
    this.databases = databases;
    this.keys = keys;
    this.decisions = decisions;
    this.function = new ApplyFunction(STREAM, decisions);
  }

  /// Reads what the database does not have yet, up to the stream's head, and from then on answers.
  ///
  /// @throws ControlDamagedException the stream cannot be read, or does not fit the database; the
  ///   message says what to do. A later [#start] tries again.
  void start() throws IOException, ControlDamagedException, InterruptedException {
    lock.lockInterruptibly();
    try {
      if (!databaseLoaded) {
        loadDatabase();
      }
      catchUp(log.lastOffset());
      ready = true;
    } finally {
      lock.unlock();
    }
  }

  /// Whether the stream has been read up to its head.
  boolean isReady() {
    return ready;
  }

  void checkReady() throws ControlUnavailableException {
    if (!ready) {
      throw new ControlUnavailableException(
          "the stream " + STREAM + " has not been read up to its head");
    }
  }

  /// Why the database of `_control` does not follow now, or null: what is decided is in force all
  /// the same.
  @Nullable String problem() {
    return problem;
  }

  /// The last offset that the database has, or -1.
  long appliedOffset() {
    return databaseOffset;
  }

  /// Brings the database up to memory if it could not be written before.
  void retry() throws ControlUnavailableException, InterruptedException {
    if (problem == null) {
      return;
    }
    lock.lockInterruptibly();
    try {
      applyUpTo(memoryOffset);
    } finally {
      lock.unlock();
    }
  }

  /// The damaged records of the stream in front of which [#start] stopped, or null.
  @Nullable Loss damage() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      return damage;
    } finally {
      lock.unlock();
    }
  }

  private void loadDatabase() throws IOException, ControlDamagedException, InterruptedException {
    boolean rebuilt = false;
    while (true) {
      forgetAll();
      try {
        createIfMissing();
        ViewState state =
            databases.read(
                TenantName.CONTROL,
                reader -> {
                  ControlReader control = reader.control();
                  control.apiKeys().forEach(keys::put);
                  control.skips().forEach(decisions::put);
                  control.losses().forEach(decisions::put);
                  return reader.state();
                });
        log.checkFits(state);
        memoryOffset = state.appliedOffset();
        databaseOffset = state.appliedOffset();
        databaseLoaded = true;
        return;
      } catch (ViewException unusable) {
        if (unusable.kind() != ViewException.Kind.DAMAGED || rebuilt) {
          throw new IOException(
              "the database of " + TenantName.CONTROL + " cannot be used: " + unusable.getMessage(),
              unusable);
        }
        rebuilt = true;
        setAside(unusable);
      }
    }
  }

  /// Its position tells that everything is missing.
  private void createIfMissing() throws ViewException, InterruptedException {
    if (!databases.exists(TenantName.CONTROL)) {
      long _ = databases.write(TenantName.CONTROL, writer -> writer.state().appliedOffset());
    }
  }

  private void forgetAll() {
    keys.clear();
    decisions.clear();
    memoryOffset = -1;
    databaseOffset = -1;
    passedOver.clear();
  }

  private void setAside(ViewException damage) throws IOException, InterruptedException {
    try {
      Path aside = databases.setAside(TenantName.CONTROL);
      Events.severe(
          "control_database_rebuilt",
          damage,
          "reason",
          String.valueOf(damage.getMessage()),
          "set_aside",
          aside);
    } catch (ViewException failed) {
      throw new IOException(
          "the damaged database of " + TenantName.CONTROL + " cannot be renamed", failed);
    }
  }

  /// Appends a record, waits until it is on stable storage, and applies it.
  void record(ControlRecord record) throws ControlUnavailableException, InterruptedException {
    applyUpTo(log.append(record));
  }

  private void applyUpTo(long offset) throws ControlUnavailableException, InterruptedException {
    lock.lockInterruptibly();
    try {
      if (databaseLoaded && (memoryOffset < offset || databaseOffset < offset)) {
        catchUp(offset);
      }
    } catch (IOException | ControlDamagedException failed) {
      throw new ControlUnavailableException(
          "the change is stored, but not in force yet: " + failed.getMessage());
    } finally {
      lock.unlock();
    }
  }

  /// Applies everything up to `offset`, and what is stable behind it.
  private void catchUp(long offset)
      throws IOException, ControlDamagedException, InterruptedException {
    while (memoryOffset < offset || databaseOffset < memoryOffset) {
      boolean databaseFollows = databaseOffset < memoryOffset;
      long from = Math.min(databaseOffset, memoryOffset) + 1;
      List<LogEntry> entries;
      try {
        entries = log.read(from);
      } catch (DamagedException damaged) {
        if (damaged.endOffset() <= memoryOffset && !isDecided(damaged)) {
          // Memory has them, and can go on; only a new database cannot be made without them.
          problem = String.valueOf(damaged.getMessage());
          applyToMemory(offset);
          return;
        }
        passOver(damaged);
        continue;
      }
      if (entries.isEmpty()) {
        if (databaseFollows && memoryOffset >= offset) {
          return;
        }
        log.await(from);
        continue;
      }
      if (!apply(entries)) {
        remember(entries, ControlLog.meanings(entries));
        applyToMemory(offset);
        return;
      }
    }
  }

  /// Brings the database up to the end of `entries`, then memory.
  ///
  /// @return false if the database cannot be written now
  private boolean apply(List<LogEntry> entries)
      throws IOException, ControlDamagedException, InterruptedException {
    List<ControlRecord> records = ControlLog.meanings(entries);
    long before = databaseOffset;
    long last = entries.getLast().offset();
    try {
      databaseOffset =
          databases.write(
              TenantName.CONTROL,
              writer -> {
                long applied = writer.state().appliedOffset();
                if (applied != before && !isLost(applied + 1, before, passedOver)) {
                  // The file was replaced or deleted underneath: its own position decides.
                  return applied;
                }
                ApplyFunction.Applied _ = function.apply(writer, entries);
                for (int i = 0; i < entries.size(); i++) {
                  records
                      .get(i)
                      .put(writer.control(), entries.get(i).time(), entries.get(i).offset());
                }
                return last;
              });
      problem = null;
      if (databaseOffset < last) {
        log.checkStartsAt(databaseOffset + 1);
        return true;
      }
    } catch (PoisonException poison) {
      throw new ControlDamagedException(
          "offset " + poison.offset() + " of " + STREAM + ": " + poison.getMessage());
    } catch (ViewException unusable) {
      if (unusable.kind() == ViewException.Kind.DAMAGED) {
        // Memory is right; the next turn of the loop writes a new database from the beginning.
        setAside(unusable);
        log.checkStartsAt(0);
        databaseOffset = -1;
        return true;
      }
      if (problem == null) {
        Events.severe(
            "control_database_unavailable",
            unusable,
            "reason",
            String.valueOf(unusable.getMessage()));
      }
      problem = String.valueOf(unusable.getMessage());
      return false;
    }
    remember(entries, records);
    return true;
  }

  /// Brings only memory up to `offset`, and leaves the database for a later call.
  private void applyToMemory(long offset)
      throws IOException, ControlDamagedException, InterruptedException {
    while (memoryOffset < offset) {
      try {
        List<LogEntry> more = log.read(memoryOffset + 1);
        if (more.isEmpty()) {
          log.await(memoryOffset + 1);
        }
        remember(more, ControlLog.meanings(more));
      } catch (DamagedException damaged) {
        passOver(damaged);
      }
    }
  }

  private void remember(List<LogEntry> entries, List<ControlRecord> records) {
    for (int i = 0; i < entries.size(); i++) {
      long offset = entries.get(i).offset();
      if (offset > memoryOffset) {
        remember(entries.get(i).time(), records.get(i));
        memoryOffset = offset;
      }
    }
  }

  private void remember(long time, ControlRecord record) {
    switch (record) {
      case ControlRecord.KeyCreated(String id, String tenant, String name, String sha256) ->
          keys.put(new ApiKeyRow(id, tenant, name, sha256, time, null));
      case ControlRecord.KeyRevoked(String id) -> keys.revoke(id, time);
      case ControlRecord.Skip(_, String stream, long offset, String reason) ->
          decisions.put(new SkipRow(stream, offset, reason, time));
      case ControlRecord.Loss(String stream, long first, long last, String reason) ->
          decisions.put(new LossRow(stream, first, last, reason));
      case ControlRecord.Adopted(String tenant, _, _, _) -> {
        if (tenant.equals(TenantName.CONTROL)) {
          // Offsets of the log before.
          decisions.clear();
        }
      }
      case ControlRecord.CursorMoved _ -> {}
    }
  }

  /// Continues behind damaged records if an operator has decided that they are lost: the decision
  /// stands behind them in the same stream.
  private void passOver(DamagedException damaged)
      throws IOException, ControlDamagedException, InterruptedException {
    long last = damaged.endOffset() - 1;
    if (isDecided(damaged)) {
      damage = null;
      passedOver.add(new Loss(damaged.firstOffset(), last, String.valueOf(damaged.getMessage())));
      memoryOffset = Math.max(memoryOffset, last);
      databaseOffset = Math.max(databaseOffset, last);
      return;
    }
    ready = false;
    damage = new Loss(damaged.firstOffset(), last, String.valueOf(damaged.getMessage()));
    throw new ControlDamagedException(
        damaged.getMessage()
            + ". API keys may be missing, so no sender is answered. Put back a sound copy of the"
            + " segment, or accept the loss with: echopost-hub skip --position "
            + log.position(damaged.firstOffset())
            + " --reason TEXT");
  }

  private boolean isDecided(DamagedException damaged) throws IOException {
    long last = damaged.endOffset() - 1;
    return isLost(damaged.firstOffset(), last, decisions.losses(STREAM))
        || isLost(damaged.firstOffset(), last, log.lossesBehind(damaged.endOffset()));
  }

  private static boolean isLost(long first, long last, List<Loss> losses) {
    return losses.stream().anyMatch(loss -> loss.first() <= first && last <= loss.last());
  }

  /// What the database said, and how far it was.
  private record Answer<T>(long applied, T value) {}

  /// Reads from the database. One that was deleted or replaced underneath is first brought up.
  <T> T read(TenantDatabases.Reading<T> work) throws ViewException, InterruptedException {
    long expected = databaseOffset;
    Answer<T> answer = answer(work);
    if (answer.applied() < expected) {
      bringUp();
      answer = answer(work);
    }
    return answer.value();
  }

  private <T> Answer<T> answer(TenantDatabases.Reading<T> work)
      throws ViewException, InterruptedException {
    createIfMissing();
    return databases.read(
        TenantName.CONTROL,
        reader -> new Answer<>(reader.state().appliedOffset(), work.run(reader)));
  }

  private void bringUp() throws ViewException, InterruptedException {
    lock.lockInterruptibly();
    try {
      createIfMissing();
      long applied = databases.read(TenantName.CONTROL, reader -> reader.state().appliedOffset());
      if (applied < databaseOffset && !isLost(applied + 1, databaseOffset, passedOver)) {
        databaseOffset = applied;
        catchUp(memoryOffset);
        if (databaseOffset < memoryOffset) {
          throw new IOException(String.valueOf(problem));
        }
      }
    } catch (IOException | ControlDamagedException failed) {
      throw new ViewException(
          ViewException.Kind.UNAVAILABLE,
          "the database of " + TenantName.CONTROL + " is not up to date: " + failed.getMessage(),
          failed);
    } finally {
      lock.unlock();
    }
  }
}
