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

/// A model of the hand-over, small enough to try every interleaving: an agent that leaves, one that
/// arrives, and two clients that do as the SDK does. `docs/HANDOVER.md` says what its steps stand
/// for and which times it takes for granted.
final class HandOverModel {
  /// What the leaving agent does; a model without one of them shows what it is good for.
  enum Rule {
    /// Connections in the backlog are accepted and answered after the listener was shut down.
    ANSWER_THE_BACKLOG,
    /// Open calls are looked for once more between the goodbye and the cut.
    LOOK_BEFORE_THE_CUT,
    /// The buffer is looked at once more when nobody can send any longer.
    LOOK_AGAIN,
    /// The name is withdrawn before the listener is shut down.
    WITHDRAW_FIRST,
    /// A name that somebody deleted is put back.
    HEAL,
    /// The arriving agent waits for the lock before it shows a socket.
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
    /// Every connection was told to go away, none is cut off yet.
    GOODBYE,
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
    /// Connected, accepted, and silent for longer than anybody waits for.
    IDLE,
    SENT,
    STORED,
    DONE,
    /// Looked, the name went, nobody was there.
    IN_THE_GAP,
    FAILED
  }

  /// All there is to know at one moment.
  ///
  /// @param pending records in the buffer that are not delivered
  /// @param clients where the two are
  /// @param servedBy whom each is connected to
  /// @param accepted whether that one knows of it: until then it stands in the backlog
  /// @param nameWent whether the name went after each had looked, and before it sent
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

    private static final Set<Client> HAVE_LOOKED =
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
          went.set(i, went.get(i) || HAVE_LOOKED.contains(clients.get(i)));
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

    /// Its connection is gone before it sent anything: it connects anew, without another look.
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

  /// @param rules that the agents keep
  HandOverModel(Set<Rule> rules) {
    this.rules = rules;
  }

  /// Tries every interleaving.
  ///
  /// @return the number of different moments
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

  /// Kinds of promises that are broken in some moment.
  Set<String> violations() {
    return violations;
  }

  /// How a client can end.
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
            violations.add("nobody was there although the name had not gone");
          }
        }
        default -> {}
      }
    }
    if (last) {
      ends.addAll(state.clients());
      if (state.pending() > 0) {
        violations.add("a record is left pending and nobody runs");
      }
      for (Client client : state.clients()) {
        if (client != Client.DONE && client != Client.IN_THE_GAP && client != Client.FAILED) {
          violations.add("a client waits for ever");
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
        // It lingers for 2 s, who polls looks every 50 ms.
        if (state.pending() == 0 && !inFlight && !state.clients().contains(Client.POLLING)) {
          next.add(
              rules.contains(Rule.WITHDRAW_FIRST)
                  ? withdrawn(state).with(Leaving.WITHDRAWN)
                  : state.with(Leaving.REFUSING));
        }
      }
      case WITHDRAWN -> {
        // Who is connected and silent gets half a second, in which it sends.
        if (!silent) {
          next.add(state.with(Leaving.REFUSING));
        }
      }
      case REFUSING -> {
        boolean waits = silent || (backlog && rules.contains(Rule.ANSWER_THE_BACKLOG));
        if (inFlight) {
          next.add(state.with(Name.LEAVING).with(Leaving.SERVING));
        } else if (!waits) {
          next.add(withdrawn(state).with(Leaving.GOODBYE));
        }
      }
      case GOODBYE ->
          next.add(
              inFlight && rules.contains(Rule.LOOK_BEFORE_THE_CUT)
                  ? state.with(Name.LEAVING).with(Leaving.SERVING)
                  : state.with(Leaving.CLOSED));
      case CLOSED ->
          next.add(
              state.pending() > 0 && rules.contains(Rule.LOOK_AGAIN)
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
          // Leaving takes a second, it waits for five.
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
        boolean nobody =
            state.arriving() == Arriving.NOT_SPAWNED || state.arriving() == Arriving.GAVE_UP;
        next.add((nobody ? state.with(Arriving.WAITING) : state).with(client, Client.POLLING));
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
        // It hears the goodbye or the cut, or does not in time and sends.
        if (state.leaving() == Leaving.GOODBYE || hasClosed(state, server)) {
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
