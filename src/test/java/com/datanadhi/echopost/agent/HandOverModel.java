package com.datanadhi.echopost.agent;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A model of the hand-over that is small enough to try every interleaving: an agent that leaves,
/// one that arrives, and two clients that behave like the SDK. `docs/HANDOVER.md` explains its
/// steps and the times that it assumes.
final class HandOverModel {
  /// The rules of the agents. A model without one of them shows what the rule prevents.
  enum Rule {
    /// Connections in the backlog are accepted and answered after the listener was shut down.
    ANSWER_THE_BACKLOG,
    /// Open calls are checked once more between GOAWAY and the close.
    CHECK_BEFORE_CLOSE,
    /// The buffer is checked once more when no client can send any longer.
    CHECK_BUFFER_LAST,
    /// The name is withdrawn before the listener is shut down.
    WITHDRAW_FIRST,
    /// A deleted name is published again.
    HEAL,
    /// The arriving agent waits for the lock before it publishes a socket.
    LOCK
  }

  enum Name {
    NONE,
    LEAVING,
    ARRIVING
  }

  enum Leaving {
    SERVING,
    WITHDRAWN,
    REFUSING,
    /// GOAWAY was sent on every connection, none is closed yet.
    GOAWAY_SENT,
    CLOSED,
    EXITED
  }

  enum Arriving {
    NOT_SPAWNED,
    WAITING,
    OPENING,
    SERVING,
    GAVE_UP
  }

  enum Client {
    LOOKING,
    MISSED,
    SPAWNING,
    POLLING,
    SAW,
    CONNECTED,
    /// Connected, accepted, and silent for longer than the agent waits.
    IDLE,
    SENT,
    STORED,
    DONE,
    /// Checked the name, the name went, and no agent listened.
    IN_THE_GAP,
    FAILED
  }

  /// The state of the whole system.
  ///
  /// @param pending records in the buffer that are not delivered
  /// @param clients where the two are
  /// @param servedBy the agent that each is connected to
  /// @param accepted whether that agent has accepted the connection; until then it is in the
  ///   backlog
  /// @param nameWent whether the name went after each had checked it, and before it sent
  record State(
      Name name,
      Leaving leaving,
      Arriving arriving,
      int pending,
      List<Client> clients,
      List<Name> servedBy,
      List<Boolean> accepted,
      List<Boolean> nameWent) {
    static State first() {
      return new State(
          Name.LEAVING,
          Leaving.SERVING,
          Arriving.NOT_SPAWNED,
          0,
          List.of(Client.LOOKING, Client.LOOKING),
          List.of(Name.NONE, Name.NONE),
          List.of(false, false),
          List.of(false, false));
    }

    private static final Set<Client> HAVE_CHECKED =
        EnumSet.of(Client.SAW, Client.CONNECTED, Client.IDLE);

    private boolean any(Name agent, boolean known, Client... phases) {
      for (int i = 0; i < clients.size(); i++) {
        if (servedBy.get(i) == agent
            && accepted.get(i) == known
            && Arrays.asList(phases).contains(clients.get(i))) {
          return true;
        }
      }
      return false;
    }

    State with(Leaving next) {
      return new State(name, next, arriving, pending, clients, servedBy, accepted, nameWent);
    }

    State with(Arriving next) {
      return new State(name, leaving, next, pending, clients, servedBy, accepted, nameWent);
    }

    State withPending(int next) {
      return new State(name, leaving, arriving, next, clients, servedBy, accepted, nameWent);
    }

    State with(Name next) {
      List<Boolean> went = new ArrayList<>(nameWent);
      if (next == Name.NONE) {
        for (int i = 0; i < went.size(); i++) {
          went.set(i, went.get(i) || HAVE_CHECKED.contains(clients.get(i)));
        }
      }
      return new State(
          next, leaving, arriving, pending, clients, servedBy, accepted, List.copyOf(went));
    }

    State with(int client, Client next) {
      List<Client> moved = new ArrayList<>(clients);
      moved.set(client, next);
      List<Boolean> went = new ArrayList<>(nameWent);
      if (next == Client.SAW) {
        went.set(client, false);
      }
      return new State(
          name,
          leaving,
          arriving,
          pending,
          List.copyOf(moved),
          servedBy,
          accepted,
          List.copyOf(went));
    }

    State withAccepted(int client) {
      List<Boolean> known = new ArrayList<>(accepted);
      known.set(client, true);
      return new State(
          name, leaving, arriving, pending, clients, servedBy, List.copyOf(known), nameWent);
    }

    State connected(int client, Name agent) {
      List<Name> served = new ArrayList<>(servedBy);
      served.set(client, agent);
      return new State(
              name, leaving, arriving, pending, clients, List.copyOf(served), accepted, nameWent)
          .with(client, Client.CONNECTED);
    }

    /// Its connection ended before it sent anything: it connects again without checking the name.
    State disconnected(int client) {
      List<Name> served = new ArrayList<>(servedBy);
      served.set(client, Name.NONE);
      List<Boolean> known = new ArrayList<>(accepted);
      known.set(client, false);
      List<Client> moved = new ArrayList<>(clients);
      moved.set(client, Client.SAW);
      return new State(
          name,
          leaving,
          arriving,
          pending,
          List.copyOf(moved),
          List.copyOf(served),
          List.copyOf(known),
          nameWent);
    }
  }

  private final Set<Rule> rules;
  private final Map<State, State> cameFrom = new HashMap<>();
  private final Set<String> violations = new HashSet<>();
  private final Set<Client> ends = new HashSet<>();

  /// @param rules the rules that the agents follow
  HandOverModel(Set<Rule> rules) {
    this.rules = rules;
  }

  /// Tries every interleaving.
  ///
  /// @return the number of different states
  int explore() {
    Deque<State> frontier = new ArrayDeque<>();
    frontier.add(State.first());
    cameFrom.put(State.first(), State.first());
    while (!frontier.isEmpty()) {
      State state = frontier.poll();
      List<State> next = successors(state);
      check(state, next.isEmpty());
      for (State successor : next) {
        if (cameFrom.putIfAbsent(successor, state) == null) {
          frontier.add(successor);
        }
      }
    }
    return cameFrom.size();
  }

  /// The promises that are broken in some state.
  Set<String> violations() {
    return violations;
  }

  /// The states in which a client can end.
  Set<Client> ends() {
    return ends;
  }

  private void check(State state, boolean last) {
    boolean leavingOwns = state.leaving() != Leaving.EXITED;
    boolean arrivingOwns =
        state.arriving() == Arriving.OPENING || state.arriving() == Arriving.SERVING;
    if (leavingOwns && arrivingOwns) {
      violations.add("two agents own the directory");
    }
    for (int i = 0; i < 2; i++) {
      switch (state.clients().get(i)) {
        case FAILED -> violations.add("a send failed on a connection");
        case IN_THE_GAP -> {
          if (!state.nameWent().get(i)) {
            violations.add("no agent listened although the name had not gone");
          }
        }
        default -> {}
      }
    }
    if (last) {
      ends.addAll(state.clients());
      if (state.pending() > 0) {
        violations.add("a record is pending and no agent runs");
      }
      for (Client client : state.clients()) {
        if (client != Client.DONE && client != Client.IN_THE_GAP && client != Client.FAILED) {
          violations.add("a client waits forever");
        }
      }
    }
  }

  private List<State> successors(State state) {
    List<State> next = new ArrayList<>();
    leavingSteps(state, next);
    arrivingSteps(state, next);
    boolean owned = state.leaving() != Leaving.EXITED || state.arriving() == Arriving.SERVING;
    if (state.pending() > 0 && owned) {
      next.add(state.withPending(state.pending() - 1));
    }
    for (int client = 0; client < 2; client++) {
      clientSteps(state, client, next);
    }
    return next;
  }

  private void leavingSteps(State state, List<State> next) {
    boolean inFlight = state.any(Name.LEAVING, true, Client.SENT, Client.STORED);
    boolean silent = state.any(Name.LEAVING, true, Client.CONNECTED);
    boolean backlog = state.any(Name.LEAVING, false, Client.CONNECTED, Client.SENT);
    switch (state.leaving()) {
      case SERVING -> {
        if (rules.contains(Rule.HEAL) && state.name() != Name.LEAVING) {
          next.add(state.with(Name.LEAVING));
        }
        // It lingers for 2 s; a client that polls checks every 50 ms.
        if (state.pending() == 0 && !inFlight && !state.clients().contains(Client.POLLING)) {
          next.add(
              rules.contains(Rule.WITHDRAW_FIRST)
                  ? withdrawn(state).with(Leaving.WITHDRAWN)
                  : state.with(Leaving.REFUSING));
        }
      }
      case WITHDRAWN -> {
        // A connected and silent client gets half a second, in which it sends.
        if (!silent) {
          next.add(state.with(Leaving.REFUSING));
        }
      }
      case REFUSING -> {
        boolean waits = silent || (backlog && rules.contains(Rule.ANSWER_THE_BACKLOG));
        if (inFlight) {
          next.add(state.with(Name.LEAVING).with(Leaving.SERVING));
        } else if (!waits) {
          next.add(withdrawn(state).with(Leaving.GOAWAY_SENT));
        }
      }
      case GOAWAY_SENT ->
          next.add(
              inFlight && rules.contains(Rule.CHECK_BEFORE_CLOSE)
                  ? state.with(Name.LEAVING).with(Leaving.SERVING)
                  : state.with(Leaving.CLOSED));
      case CLOSED ->
          next.add(
              state.pending() > 0 && rules.contains(Rule.CHECK_BUFFER_LAST)
                  ? state.with(Name.LEAVING).with(Leaving.SERVING)
                  : state.with(Leaving.EXITED));
      case EXITED -> {}
    }
  }

  private static State withdrawn(State state) {
    return state.name() == Name.LEAVING ? state.with(Name.NONE) : state;
  }

  private void arrivingSteps(State state, List<State> next) {
    boolean free = state.leaving() == Leaving.EXITED;
    switch (state.arriving()) {
      case WAITING -> {
        if (free || !rules.contains(Rule.LOCK)) {
          next.add(state.with(Arriving.OPENING));
        } else if (state.leaving() == Leaving.SERVING) {
          // Leaving takes a second; the arriving agent waits for five.
          next.add(state.with(Arriving.GAVE_UP));
        }
      }
      case OPENING -> next.add(state.with(Name.ARRIVING).with(Arriving.SERVING));
      case SERVING -> {
        if (rules.contains(Rule.HEAL) && state.name() != Name.ARRIVING) {
          next.add(state.with(Name.ARRIVING));
        }
      }
      case NOT_SPAWNED, GAVE_UP -> {}
    }
  }

  private void accept(State state, int client, List<State> next) {
    Name server = state.servedBy().get(client);
    boolean accepts =
        isListening(state, server)
            || (state.leaving() == Leaving.REFUSING && rules.contains(Rule.ANSWER_THE_BACKLOG));
    if (!state.accepted().get(client) && accepts) {
      next.add(state.withAccepted(client));
    }
  }

  private void clientSteps(State state, int client, List<State> next) {
    Name server = state.servedBy().get(client);
    switch (state.clients().get(client)) {
      case LOOKING ->
          next.add(state.with(client, state.name() == Name.NONE ? Client.MISSED : Client.SAW));
      case MISSED -> next.add(state.with(Name.NONE).with(client, Client.SPAWNING));
      case SPAWNING -> {
        boolean noAgent =
            state.arriving() == Arriving.NOT_SPAWNED || state.arriving() == Arriving.GAVE_UP;
        next.add((noAgent ? state.with(Arriving.WAITING) : state).with(client, Client.POLLING));
      }
      case POLLING -> {
        if (state.name() != Name.NONE) {
          next.add(state.with(client, Client.SAW));
        }
      }
      case SAW ->
          next.add(
              isListening(state, state.name())
                  ? state.connected(client, state.name())
                  : state.with(client, Client.IN_THE_GAP));
      case CONNECTED -> {
        accept(state, client, next);
        next.add(state.with(client, hasClosed(state, server) ? Client.FAILED : Client.SENT));
        if (server == Name.LEAVING && state.accepted().get(client)) {
          next.add(state.with(client, Client.IDLE));
        }
      }
      case IDLE -> {
        // It receives GOAWAY or the close; or it sends before that.
        if (state.leaving() == Leaving.GOAWAY_SENT || hasClosed(state, server)) {
          next.add(state.disconnected(client));
        }
        if (!hasClosed(state, server)) {
          next.add(state.with(client, Client.SENT));
        }
      }
      case SENT -> {
        accept(state, client, next);
        if (hasClosed(state, server)) {
          next.add(state.with(client, Client.FAILED));
        } else if (state.accepted().get(client)) {
          next.add(state.withPending(state.pending() + 1).with(client, Client.STORED));
        }
      }
      case STORED -> next.add(state.with(client, Client.DONE));
      case DONE, IN_THE_GAP, FAILED -> {}
    }
  }

  private static boolean isListening(State state, Name agent) {
    return switch (agent) {
      case NONE -> false;
      case LEAVING -> state.leaving() == Leaving.SERVING || state.leaving() == Leaving.WITHDRAWN;
      case ARRIVING -> state.arriving() == Arriving.SERVING;
    };
  }

  private static boolean hasClosed(State state, Name agent) {
    return agent == Name.LEAVING
        && (state.leaving() == Leaving.CLOSED || state.leaving() == Leaving.EXITED);
  }
}
