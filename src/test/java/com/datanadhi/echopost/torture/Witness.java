package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.echopost.testkit.StubServer;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Sees both ends of one round: what clients were told is stored, and what the server got; and says
/// whether the promise was kept. Each client's records are numbered upwards in the order in which
/// it sent them. Thread-safe.
final class Witness implements Acknowledgements {
  private static final class Client {
    final BitSet acknowledged = new BitSet();
    final BitSet arrived = new BitSet();
    final BitSet excused = new BitSet();
    final BitSet inDoubt = new BitSet();
    final Map<Integer, String> keys = new HashMap<>();
    int last = -1;
  }

  /// A batch, as the README has it.
  private static final long MOST_REPEATS = 256;

  private static final int NAMED = 10;

  private final Map<Integer, Client> clients = new TreeMap<>();
  private final Map<String, String> records = new HashMap<>();
  private final String round;
  private final Tally tally;
  private long repeatsAllowed;

  /// @param round names it where a promise was broken
  Witness(String round, Tally tally) {
    this.round = round;
    this.tally = tally;
  }

  @Override
  public synchronized void acknowledged(int client, int seq) {
    client(client).acknowledged.set(seq);
    tally.add(Tally.Count.ACKNOWLEDGED, 1);
  }

  /// The server got a record, and is about to answer that it has it, or something else.
  synchronized void arrived(StubServer.Request request) {
    Payloads.Label label = Payloads.label(request.text());
    Client from = client(label.client());
    int seq = (int) label.seq();
    String known = from.keys.putIfAbsent(seq, request.key());
    if (known != null && !known.equals(request.key())) {
      tally.broken(round + ": " + label + " came as " + known + " and as " + request.key());
    }
    String other = records.putIfAbsent(request.key(), label.toString());
    if (other != null && !other.equals(label.toString())) {
      tally.broken(round + ": " + other + " and " + label + " came as " + request.key());
    }
    if (from.arrived.get(seq)) {
      tally.add(Tally.Count.REPEATS, 1);
      if (--repeatsAllowed < 0) {
        tally.broken(round + ": " + label + " came again, one repeat more than there may be");
      }
      return;
    }
    from.arrived.set(seq);
    tally.add(Tally.Count.DELIVERED, 1);
    if (seq < from.last) {
      tally.add(Tally.Count.REORDERED, 1);
      tally.broken(round + ": " + label + " came after " + from.last);
    }
    from.last = Math.max(from.last, seq);
  }

  /// The server took a record, and the agent will not hear of it.
  synchronized void arrivedUnheard(StubServer.Request request) {
    arrived(request);
    Payloads.Label label = Payloads.label(request.text());
    client(label.client()).inDoubt.set((int) label.seq());
  }

  /// A record of which the agent says that the server refuses it for good.
  synchronized void rejected(String payload) {
    Payloads.Label label = Payloads.label(payload);
    Client from = client(label.client());
    int seq = (int) label.seq();
    if (from.arrived.get(seq) && !from.inDoubt.get(seq)) {
      tally.broken(round + ": " + label + " was delivered and is rejected too");
    }
    from.arrived.set(seq);
    tally.add("rejected", 1);
  }

  /// Records `request` as above and then does as `then`.
  StubServer.Behaviour recording(StubServer.Behaviour then) {
    return (request, out) -> {
      arrived(request);
      return then.answer(request, out);
    };
  }

  /// The agent was killed: from now on one batch may come again.
  synchronized void crashed() {
    tally.add(Tally.Count.KILLS, 1);
    repeatsAllowed = MOST_REPEATS;
  }

  /// An answer was lost, or said to try again: one record more may come again.
  synchronized void mayRepeat() {
    repeatsAllowed++;
  }

  /// What stood on the disk of `seq` was damaged: it need not come.
  synchronized void mayBeGone(int client, int seq) {
    client(client).excused.set(seq);
  }

  /// How many acknowledged records did not come, excused or not.
  synchronized long missing() {
    return clients.values().stream()
        .mapToLong(client -> {
          BitSet missing = (BitSet) client.acknowledged.clone();
          missing.andNot(client.arrived);
          return missing.cardinality();
        })
        .sum();
  }

  /// Whether all that was acknowledged has come.
  synchronized boolean hasAll() {
    return clients.values().stream().allMatch(c -> lost(c).isEmpty());
  }

  /// At the end: whatever was acknowledged and did not come is lost.
  synchronized void close() {
    clients.forEach((number, client) -> {
      BitSet lost = lost(client);
      if (!lost.isEmpty()) {
        tally.add(Tally.Count.LOST, lost.cardinality());
        tally.broken(
            round
                + ": of client "
                + number
                + " were acknowledged and never came "
                + lost.stream().limit(NAMED).boxed().toList()
                + (lost.cardinality() > NAMED
                    ? " and " + (lost.cardinality() - NAMED) + " more"
                    : ""));
      }
    });
  }

  private static BitSet lost(Client client) {
    BitSet lost = (BitSet) client.acknowledged.clone();
    lost.andNot(client.arrived);
    lost.andNot(client.excused);
    return lost;
  }

  private Client client(int number) {
    return clients.computeIfAbsent(number, _ -> new Client());
  }
}
