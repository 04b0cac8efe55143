package com.datanadhi.echopost.agent;

/// The state of a run. Each state offers only its legal transitions.
///
///     Starting ──serve──▶ Serving ──drain──▶ Draining ──close──▶ Closing ──drained──▶ Drained
///                          │  ▲                                     │
///                          │  └──────────────resume─────────────────┤
///                          └────────stop───────▶ Stopped ◀───stop───┘
///
/// A record that arrives in Draining or Closing is accepted. Draining always becomes Closing; only
/// Closing can then resume serving, or stop. Only a Closing that found nothing can become Drained.
/// Immutable.
sealed interface AgentState {
  /// The directory is locked; the socket is not published yet. A stop request ends it too, while
  /// the socket cannot be created.
  record Starting() implements AgentState {
    Serving serve() {
      return new Serving();
    }

    Stopped stop() {
      return new Stopped();
    }
  }

  /// The socket is published.
  record Serving() implements AgentState {
    Draining drain() {
      return new Draining();
    }

    Stopped stop() {
      return new Stopped();
    }
  }

  /// The socket's name is withdrawn; calls are still accepted.
  record Draining() implements AgentState {
    /// @param callsAnswered whether ingest has ended with no call unanswered
    /// @param unsettledIds how many ids were neither delivered nor rejected after that
    Closing close(boolean callsAnswered, long unsettledIds) {
      return new Closing(callsAnswered, unsettledIds);
    }
  }

  /// Ingest has stopped accepting connections and answered the open calls; these are the results of
  /// the check after that.
  record Closing(boolean callsAnswered, long unsettledIds) implements AgentState {
    boolean isEmpty() {
      return callsAnswered && unsettledIds == 0;
    }

    /// @throws IllegalStateException when a call is unanswered or an id is unsettled
    Drained drained() {
      if (!isEmpty()) {
        throw new IllegalStateException(
            "cannot be drained with "
                + unsettledIds
                + " ids unsettled, all calls answered: "
                + callsAnswered);
      }
      return new Drained();
    }

    Serving resume() {
      return new Serving();
    }

    Stopped stop() {
      return new Stopped();
    }
  }

  /// Nothing is pending, and the run is over.
  record Drained() implements AgentState {}

  /// A stop request ended the run.
  record Stopped() implements AgentState {}
}
