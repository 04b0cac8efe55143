package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.testkit.StubServer;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Checks the promise in one round: every acknowledged record is delivered, in order, under one
/// idempotency key, with no more repeats than allowed. It gets every acknowledgement that a client
/// receives and every delivery that the server receives. Each client numbers its records upwards in
/// the order of sending. Thread-safe.
final class DeliveryChecker implements AcknowledgementListener {
  /// The sequence numbers of one client.
  private static final class Client {
    final BitSet acknowledged = new BitSet();
    final BitSet delivered = new BitSet();
    final BitSet allowedLosses = new BitSet();
    final BitSet withoutAnswer = new BitSet();
    final Map<Integer, String> keys = new HashMap<>();
    int highestDelivered = -1;
  }

  /// The documented limit of repeats after a crash, of records that go one by one.
  private static final long MAX_REPEATS_AFTER_KILL = 256;

  /// The records of the largest batch, all of which a crash or a lost answer may repeat.
  private static final long LARGEST_BATCH = 1_000;

  private static final int MAX_LISTED_RECORDS = 10;

  private final Map<Integer, Client> clients = new TreeMap<>();
  private final Map<String, String> recordByKey = new HashMap<>();
  private final String round;
  private final CampaignResult result;
  private long largestRequest = 1;
  private long repeatsAllowed;

  /// @param round identifies the round in the text of violations
  DeliveryChecker(String round, CampaignResult result) {
    this.round = round;
    this.result = result;
  }

  @Override
  public synchronized void acknowledged(int client, int seq) {
    client(client).acknowledged.set(seq);
    result.add(CampaignResult.Counter.ACKNOWLEDGED, 1);
  }

  /// The server received a record, whatever it answers.
  synchronized void delivered(StubServer.Request request) {
    Payloads.Label label = Payloads.label(request.text());
    Client client = client(label.client());
    int seq = (int) label.seq();
    String key = client.keys.putIfAbsent(seq, request.key());
    if (key != null && !key.equals(request.key())) {
      result.addViolation(
          round + ": " + label + " was delivered under two keys: " + key + ", " + request.key());
    }
    String record = recordByKey.putIfAbsent(request.key(), label.toString());
    if (record != null && !record.equals(label.toString())) {
      result.addViolation(
          round + ": one key for two records: " + record + ", " + label + ": " + request.key());
    }
    if (client.delivered.get(seq)) {
      result.add(CampaignResult.Counter.REPEATS, 1);
      if (--repeatsAllowed < 0) {
        result.addViolation(round + ": " + label + " is one repeat more than allowed");
      }
      return;
    }
    client.delivered.set(seq);
    result.add(CampaignResult.Counter.DELIVERED, 1);
    if (seq < client.highestDelivered) {
      result.add(CampaignResult.Counter.REORDERED, 1);
      result.addViolation(round + ": " + label + " was delivered after " + client.highestDelivered);
    }
    client.highestDelivered = Math.max(client.highestDelivered, seq);
  }

  /// The server accepted a record, but the agent gets no complete answer.
  synchronized void deliveredWithoutAnswer(StubServer.Request request) {
    delivered(request);
    Payloads.Label label = Payloads.label(request.text());
    client(label.client()).withoutAnswer.set((int) label.seq());
  }

  /// The agent moved a record to its rejected records.
  synchronized void rejected(String payload) {
    Payloads.Label label = Payloads.label(payload);
    Client client = client(label.client());
    int seq = (int) label.seq();
    if (client.delivered.get(seq) && !client.withoutAnswer.get(seq)) {
      result.addViolation(round + ": " + label + " was delivered, and is rejected too");
    }
    client.delivered.set(seq);
    result.add("rejected", 1);
  }

  /// A server that passes each delivery to this checker, then behaves as `behaviour`.
  StubServer.Behaviour recordThen(StubServer.Behaviour behaviour) {
    return (request, out) -> {
      delivered(request);
      return behaviour.respond(request, out);
    };
  }

  /// The server offers batches.
  synchronized void expectBatches() {
    largestRequest = LARGEST_BATCH;
  }

  /// The agent was killed: what it had not acknowledged may be repeated from now on.
  synchronized void agentKilled() {
    result.add(CampaignResult.Counter.KILLS, 1);
    repeatsAllowed = Math.max(MAX_REPEATS_AFTER_KILL, largestRequest);
  }

  /// An answer was lost, or asked for a retry: one more request may be repeated.
  synchronized void allowRepeat() {
    repeatsAllowed += largestRequest;
  }

  /// The bytes of this record were damaged on the disk: it need not be delivered.
  synchronized void allowLoss(int client, int seq) {
    client(client).allowedLosses.set(seq);
  }

  /// How many acknowledged records were not delivered, allowed losses included.
  synchronized long undelivered() {
    return clients.values().stream()
        .mapToLong(client -> {
          BitSet undelivered = (BitSet) client.acknowledged.clone();
          undelivered.andNot(client.delivered);
          return undelivered.cardinality();
        })
        .sum();
  }

  /// Called once, at the end of a round: an acknowledged record that was not delivered is lost.
  synchronized void checkNothingLost() {
    clients.forEach((number, client) -> {
      BitSet lost = lost(client);
      if (!lost.isEmpty()) {
        result.add(CampaignResult.Counter.LOST, lost.cardinality());
        result.addViolation(
            round
                + ": acknowledged but not delivered, of client "
                + number
                + ": "
                + lost.stream().limit(MAX_LISTED_RECORDS).boxed().toList()
                + (lost.cardinality() > MAX_LISTED_RECORDS
                    ? " and " + (lost.cardinality() - MAX_LISTED_RECORDS) + " more"
                    : ""));
      }
    });
  }

  private static BitSet lost(Client client) {
    BitSet lost = (BitSet) client.acknowledged.clone();
    lost.andNot(client.delivered);
    lost.andNot(client.allowedLosses);
    return lost;
  }

  private Client client(int number) {
    return clients.computeIfAbsent(number, _ -> new Client());
  }
}
