package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.StubBatches;
import com.datanadhi.testkit.StubBatches.BatchBehaviour;
import com.datanadhi.testkit.StubServer;
import java.util.List;
import java.util.Random;

/// What a stub offers in one round: one record a request, batches, or batches with answers of which
/// some lie. The rounds have each in turn, so that a short run has the most dangerous too. A server
/// that lies has stored the batch.
final class RandomOffer {
  private static final List<BatchBehaviour> LIES = StubBatches.faulty();

  /// Of one round after the other.
  private static final List<Kind> KINDS =
      List.of(
          new Kind(StubServer.Offer.GZIP_BATCHES, true),
          new Kind(StubServer.Offer.BATCHES, false),
          new Kind(StubServer.Offer.BATCHES, true),
          new Kind(StubServer.Offer.NONE, false),
          new Kind(StubServer.Offer.GZIP_BATCHES, false));

  private static final int BATCHES_PER_LIE = 8;

  private record Kind(StubServer.Offer offer, boolean lies) {}

  private final Random random;
  private final DeliveryChecker checker;
  private final CampaignResult result;
  private final boolean lies;

  /// Sets the offer of `server`.
  ///
  /// @param round from 1
  /// @param checker gets each record of a batch
  RandomOffer(
      StubServer server,
      long round,
      Random random,
      DeliveryChecker checker,
      CampaignResult result) {
    this.random = new Random(random.nextLong());
    this.checker = checker;
    this.result = result;
    Kind kind = KINDS.get((int) ((round + KINDS.size() - 1) % KINDS.size()));
    this.lies = kind.lies();
    if (kind.offer() != StubServer.Offer.NONE) {
      checker.expectBatches();
    }
    server.offer(kind.offer());
    server.onBatch(healthy());
  }

  /// Stores each batch; answers some with a lie, if this server lies.
  BatchBehaviour healthy() {
    return (records, out) -> {
      result.add("batches", 1);
      if (isLie()) {
        records.forEach(checker::deliveredWithoutAnswer);
        return lie().respond(records, out);
      }
      records.forEach(checker::delivered);
      return StubBatches.STORED.respond(records, out);
    };
  }

  /// Answers some batches with a response that is no success, and stores the others.
  BatchBehaviour faulty() {
    BatchBehaviour healthy = healthy();
    return (records, out) -> {
      if (random() > 0) {
        return healthy.respond(records, out);
      }
      checker.allowRepeat();
      return BatchBehaviour.of(FaultyResponses.withoutSuccess(random)).respond(records, out);
    };
  }

  private synchronized int random() {
    return random.nextInt(BATCHES_PER_LIE);
  }

  private boolean isLie() {
    return lies && random() == 0;
  }

  private synchronized BatchBehaviour lie() {
    result.add("lies", 1);
    checker.allowRepeat();
    return LIES.get(random.nextInt(LIES.size()));
  }
}
