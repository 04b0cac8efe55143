package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Whether records and commands are accepted: not before there is a buffer, and not after [#stop]
/// was called. Any thread: each field is set once and is volatile.
final class Availability {
  private volatile @Nullable StatusSource statusSource;
  private volatile @Nullable Buffer buffer;
  private volatile boolean stopping;

  /// Accepts records into `buffer` from now on.
  ///
  /// @param statusSource for operators
  void start(Buffer buffer, StatusSource statusSource) {
    this.statusSource = statusSource;
    // Written last: a thread that reads it also reads the other.
    this.buffer = buffer;
  }

  /// Every record that the buffer does not have yet is refused from now on.
  void stop() {
    stopping = true;
  }

  /// The buffer that records are accepted into. Only after [#start].
  Buffer buffer() {
    return Objects.requireNonNull(buffer, "there is no buffer yet: start() was not called");
  }

  /// The number of records that wait for their commit; 0 before there is a buffer.
  int waitingRecords() {
    Buffer opened = buffer;
    return opened == null ? 0 : opened.waitingRecords();
  }

  /// The agent's status and metrics. Only after [#start].
  StatusSource statusSource() {
    return Objects.requireNonNull(statusSource, "there is no status yet: start() was not called");
  }

  /// The health of the main server; UNKNOWN before there is an agent.
  ServerHealth serverHealth() {
    StatusSource known = statusSource;
    return known == null ? ServerHealth.UNKNOWN : known.serverHealth();
  }

  /// Whether a record that arrives now is likely to be stored soon.
  boolean storesRecords() {
    Buffer opened = buffer;
    return opened != null
        && !stopping
        && opened.failure() == null
        && opened.shortage() == 0
        && opened.problem() == null;
  }

  /// The reason why a call that starts now is refused, before its message is read; null if it is
  /// not.
  @Nullable Refusal refusal() {
    if (buffer == null) {
      return Refusal.STARTING;
    }
    return stopping ? stopRefusal() : null;
  }

  /// The reason why a call that has started is refused; null before [#stop] was called.
  @Nullable Refusal refusalWhileStopping() {
    return stopping ? stopRefusal() : null;
  }

  /// The reason why nothing is accepted after [#stop].
  Refusal stopRefusal() {
    Buffer opened = buffer;
    @Nullable StorageException failure = opened == null ? null : opened.failure();
    return failure == null
        ? Refusal.SHUTTING_DOWN
        : Refusal.storageFailed("the record is not stored: " + failure.getMessage());
  }
}
