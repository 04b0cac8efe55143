package com.datanadhi.echopost.agent;

/// Where an agent is in its life, each state offering its legal moves alone.
///
///     Starting ──serve──▶ Serving ──drain──▶ Draining ──drained──▶ Drained
///                          │  ▲                 │
///                          │  └────serveOn──────┤
///                          └──stop──▶ Stopped ◀─┘ stop
///
/// Draining is the part of leaving that can still be called off: the socket's name is gone, late records are still
/// taken. Only from there, and only with nothing pending, can an agent be drained. Immutable.
sealed interface AgentState {
  /// The directory is ours; the socket is not there yet.
  record Starting() implements AgentState {
    Serving serve() {
      return new Serving();
    }
  }

  /// The socket is there.
  record Serving() implements AgentState {
    Draining drain() {
      return new Draining();
    }

    Stopped stop() {
      return new Stopped();
    }
  }

  /// On the way out.
  record Draining() implements AgentState {
    /// Something came in at the last moment: stay.
    Serving serveOn() {
      return new Serving();
    }

    /// @throws IllegalStateException when records are pending
    Drained drained(long pending) {
      if (pending != 0) {
        throw new IllegalStateException("cannot be drained with " + pending + " records pending");
      }
      return new Drained();
    }

    Stopped stop() {
      return new Stopped();
    }
  }

  /// Nothing is left; the run is over.
  record Drained() implements AgentState {}

  /// A signal ended the run.
  record Stopped() implements AgentState {}
}
