package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Receipt;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;

/// A plain map of what was stored, as a reference, with faults on demand: an outcome for a key, and
/// a gate that calls wait at.
final class ReferenceAppends implements Appends {
  private final Map<String, Content> stored = new HashMap<>();
  private final Map<String, Outcome> faults = new HashMap<>();
  private final List<String> order = new ArrayList<>();
  private final List<Integer> calls = new ArrayList<>();
  private final Semaphore gate = new Semaphore(Integer.MAX_VALUE);
  private int generated;

  @Override
  public List<Outcome> submitEach(String tenant, List<Submission> transactions)
      throws InterruptedException {
    synchronized (this) {
      calls.add(transactions.size());
    }
    gate.acquire();
    try {
      synchronized (this) {
        return transactions.stream().map(each -> submit(tenant, each)).toList();
      }
    } finally {
      gate.release();
    }
  }

  private Outcome submit(String tenant, Submission transaction) {
    String key = transaction.key() == null ? "generated-" + ++generated : transaction.key();
    Outcome fault = faults.get(key);
    if (fault != null) {
      return fault;
    }
    Content content = Digests.content(transaction.records());
    Content known = stored.putIfAbsent(tenant + "/" + key, content);
    if (known != null && !known.equals(content)) {
      return new Outcome.Conflict(key, known, content);
    }
    if (known == null) {
      order.add(key);
    }
    return new Outcome.Stored(
        new Receipt(tenant, key, content.digest(), "fsync"), known != null, order.size() - 1);
  }

  synchronized void fault(String key, Outcome outcome) {
    faults.put(key, outcome);
  }

  /// Lets no call through.
  void shut() {
    gate.drainPermits();
  }

  void open() {
    gate.release(Integer.MAX_VALUE / 2);
  }

  /// The keys that were stored, in order.
  synchronized List<String> order() {
    return List.copyOf(order);
  }

  /// How many transactions each call had.
  synchronized List<Integer> calls() {
    return List.copyOf(calls);
  }
}
