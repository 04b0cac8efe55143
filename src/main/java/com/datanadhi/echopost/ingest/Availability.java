package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Whether records and commands are accepted: not before there is a buffer, and not after ingest
/// was told to stop. Any thread: each field is set once and is volatile.
final class Availability {
  private volatile @Nullable AgentInfo agent;
  private volatile @Nullable Buffer buffer;
  private volatile boolean stopping;

  /// Records are accepted into `into` from now on.
  ///
  /// @param about what operators can ask about
  void start(Buffer into, AgentInfo about) {
    agent = about;
    // Last: whoever sees it sees the other.
    buffer = into;
  }

  /// Every record that the buffer does not have yet is refused from now on.
  void stop() {
    stopping = true;
  }

  /// The buffer that records are accepted into.
  Buffer buffer() {
    return Objects.requireNonNull(buffer, "no call gets past refusal() before there is a buffer");
  }

  /// How many records wait for their commit; 0 before there is a buffer.
  int waitingRecords() {
    Buffer opened = buffer;
    return opened == null ? 0 : opened.waitingRecords();
  }

  /// What operators can ask about.
  AgentInfo agent() {
    return Objects.requireNonNull(agent, "no call gets past refusal() before there is an agent");
  }

  /// How the main server is, as far as it is known.
  ServerHealth serverHealth() {
    AgentInfo known = agent;
    return known == null ? ServerHealth.UNKNOWN : known.serverHealth();
  }

  /// Why a call that starts now is refused, before its message is read; null if it is not.
  @Nullable Refusal refusal() {
    if (buffer == null) {
      return Refusal.STARTING;
    }
    return stopping ? stopRefusal() : null;
  }

  /// Why a call that has started is refused; null while ingest is not told to stop.
  @Nullable Refusal refusalWhileStopping() {
    return stopping ? stopRefusal() : null;
  }

  /// Why nothing is accepted after [#stop].
  Refusal stopRefusal() {
    Buffer opened = buffer;
    @Nullable StorageException failure = opened == null ? null : opened.failure();
    return failure == null
        ? Refusal.SHUTTING_DOWN
        : Refusal.storageFailed("the record is not stored: " + failure.getMessage());
  }
}
