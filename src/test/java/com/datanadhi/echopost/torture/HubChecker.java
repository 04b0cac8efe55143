package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.Payloads;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Checks the promises of a hub to its senders: whatever was acknowledged is in the tenant's
/// database exactly once, byte for byte, in the order of its source; a repeat gets the same
/// receipt; nothing else is stored. It gets what senders sent and were told, and reads the
/// databases. Thread-safe.
final class HubChecker implements HubObserver {
  /// A transaction. Nothing in it needs an escape in JSON, except `payloads`, which are JSON.
  ///
  /// @param payloads `log_data` of each record
  record Sent(String tenant, String key, String pipelines, List<String> payloads) {}

  private static final int MAX_LISTED = 5;

  private final String round;
  private final CampaignResult result;
  private final Map<String, Map<String, Sent>> sent = new HashMap<>();
  private final Map<String, Set<String>> acknowledged = new HashMap<>();
  private final Map<String, String> receipts = new HashMap<>();
  private final Map<String, Set<Payloads.Label>> agentRecords = new HashMap<>();
  private final Map<String, Set<String>> lost = new HashMap<>();
  private boolean anyOrder;

  /// @param round identifies the round in the text of violations
  HubChecker(String round, CampaignResult result) {
    this.round = round;
    this.result = result;
  }

  @Override
  public synchronized void sending(Sent transaction) {
    sent.computeIfAbsent(transaction.tenant(), _ -> new HashMap<>())
        .putIfAbsent(transaction.key(), transaction);
  }

  @Override
  public synchronized void acknowledged(Sent transaction, @Nullable String receipt) {
    String key = transaction.key();
    if (acknowledged.computeIfAbsent(transaction.tenant(), _ -> new LinkedHashSet<>()).add(key)) {
      result.add(CampaignResult.Counter.ACKNOWLEDGED, transaction.payloads().size());
    } else {
      result.add(CampaignResult.Counter.REPEATS, transaction.payloads().size());
    }
    if (receipt != null) {
      String first = receipts.putIfAbsent(transaction.tenant() + " " + key, receipt);
      if (first != null && !first.equals(receipt)) {
        violation("two receipts for " + key + ": " + first + " and " + receipt);
      }
    }
  }

  /// Only 503, and 408 for a sender that was slow, are temporary: any other status makes senders
  /// drop a sound record.
  @Override
  public void refused(int status, String body) {
    result.add("answers with " + status, 1);
    if (status != 503 && status != 408) {
      violation("status " + status + " for a sound request: " + body);
    }
  }

  /// From now on records of a source may be stored in any order, because senders send them so.
  synchronized void allowAnyOrder() {
    anyOrder = true;
  }

  /// A disaster has left only these keys of a tenant. Of the others those that were acknowledged
  /// need not be there any more, unless they are acknowledged again; they may come later than those
  /// behind them.
  synchronized void lostAllBut(String tenant, Set<String> kept) {
    Set<String> gone = new LinkedHashSet<>(acknowledged.getOrDefault(tenant, Set.of()));
    gone.removeAll(kept);
    acknowledged.getOrDefault(tenant, Set.of()).removeAll(gone);
    lost.computeIfAbsent(tenant, _ -> new HashSet<>()).addAll(gone);
    result.add("acknowledged and lost in a disaster", gone.size());
  }

  /// Gets the acknowledgements of an agent that delivers to this tenant. Clients of all agents of a
  /// tenant have different numbers.
  AcknowledgementListener agentOf(String tenant) {
    return (client, seq) -> {
      synchronized (this) {
        agentRecords
            .computeIfAbsent(tenant, _ -> new LinkedHashSet<>())
            .add(new Payloads.Label(client, seq));
        result.add(CampaignResult.Counter.ACKNOWLEDGED, 1);
      }
    };
  }

  /// Keys of acknowledged transactions, chosen at random.
  synchronized List<String> someAcknowledged(String tenant, int most, Random random) {
    List<String> keys = new ArrayList<>(acknowledged.getOrDefault(tenant, Set.of()));
    Collections.shuffle(keys, random);
    return keys.subList(0, Math.min(most, keys.size()));
  }

  /// How many records of a tenant were acknowledged.
  synchronized long acknowledgedRecords(String tenant) {
    Map<String, Sent> all = sent.getOrDefault(tenant, Map.of());
    return agentRecords.getOrDefault(tenant, Set.of()).size()
        + acknowledged.getOrDefault(tenant, Set.of()).stream()
            .map(all::get)
            .mapToLong(one -> one == null ? 0 : one.payloads().size())
            .sum();
  }

  /// Compares a tenant's database with what senders know, and adds a violation for each difference.
  ///
  /// @return what is stored
  HubTenant check(Path data, String tenant) throws SQLException {
    return check(HubTenant.read(data, tenant));
  }

  /// As above, for a tenant that was read already.
  synchronized HubTenant check(HubTenant stored) {
    stored.faults().stream().limit(MAX_LISTED).forEach(this::violation);
    Map<String, List<HubTenant.Stored>> byKey = new LinkedHashMap<>();
    for (HubTenant.Stored record : stored.records()) {
      byKey.computeIfAbsent(record.key(), _ -> new ArrayList<>()).add(record);
    }
    Map<String, Sent> all = sent.getOrDefault(stored.tenant(), Map.of());
    byKey.forEach((key, records) -> {
      Sent transaction = all.get(key);
      if (transaction != null) {
        checkContent(transaction, records);
      }
    });
    checkLost(stored, byKey.keySet());
    checkAgents(stored, all.keySet());
    if (!anyOrder) {
      checkOrder(stored);
    }
    result.add(CampaignResult.Counter.DELIVERED, stored.records().size());
    return stored;
  }

  /// Adds a violation for each source of which a number is missing that was not lost in a disaster.
  synchronized void checkWithoutGaps(HubTenant stored) {
    Map<String, NavigableSet<Long>> numbers = new HashMap<>();
    for (HubTenant.Stored record : stored.records()) {
      HubTenant.Numbered numbered = HubTenant.numbered(record.key());
      if (numbered != null) {
        numbers.computeIfAbsent(numbered.source(), _ -> new TreeSet<>()).add(numbered.n());
      }
    }
    Set<String> mayBeMissing = lost.getOrDefault(stored.tenant(), Set.of());
    numbers.forEach((source, found) -> {
      Set<Long> missing = new TreeSet<>();
      for (long n = 1; n < found.last(); n++) {
        if (!found.contains(n) && !mayBeMissing.contains(source + "-" + n)) {
          missing.add(n);
        }
      }
      if (!missing.isEmpty()) {
        violation(
            stored.tenant()
                + ": of source "
                + source
                + " are stored "
                + found.size()
                + " numbers up to "
                + found.last()
                + ", without "
                + abbreviated(missing));
      }
    });
  }

  private void checkContent(Sent transaction, List<HubTenant.Stored> records) {
    List<String> payloads = records.stream().map(HubTenant.Stored::logData).toList();
    if (!payloads.equals(transaction.payloads())
        || !records.stream().allMatch(one -> one.pipelines().equals(transaction.pipelines()))) {
      violation(
          "stored under "
              + transaction.key()
              + " is "
              + abbreviated(records)
              + ", sent was "
              + abbreviated(transaction));
    }
  }

  private void checkLost(HubTenant stored, Set<String> keys) {
    Set<String> missing = new LinkedHashSet<>(acknowledged.getOrDefault(stored.tenant(), Set.of()));
    missing.removeAll(keys);
    lose(stored.tenant(), missing);
  }

  private void lose(String tenant, Set<?> missing) {
    if (!missing.isEmpty()) {
      result.add(CampaignResult.Counter.LOST, missing.size());
      violation(
          tenant
              + ": acknowledged but not stored: "
              + missing.stream().limit(MAX_LISTED).toList()
              + " ("
              + missing.size()
              + ")");
    }
  }

  /// Records under keys that no sender of ours made come from agents: each label once, in the order
  /// of its client.
  private void checkAgents(HubTenant stored, Set<String> keysOfSenders) {
    Set<Payloads.Label> labels = new HashSet<>();
    Map<Integer, Long> highest = new HashMap<>();
    boolean hasAgents = agentRecords.containsKey(stored.tenant());
    for (HubTenant.Stored record : stored.records()) {
      if (keysOfSenders.contains(record.key())) {
        continue;
      }
      if (!hasAgents) {
        violation(stored.tenant() + ": nobody has sent " + record.key());
        continue;
      }
      Payloads.Label label = Payloads.label(record.logData());
      if (!labels.add(label)) {
        violation(stored.tenant() + ": " + label + " is stored twice, again as " + record.key());
      }
      if (highest.merge(label.client(), label.seq(), Math::max) > label.seq()) {
        result.add(CampaignResult.Counter.REORDERED, 1);
        violation(
            stored.tenant()
                + ": "
                + label
                + ", key "
                + record.key()
                + ", is stored after a later one of its client");
      }
    }
    Set<Payloads.Label> missing =
        new LinkedHashSet<>(agentRecords.getOrDefault(stored.tenant(), Set.of()));
    missing.removeAll(labels);
    lose(stored.tenant(), missing);
  }

  private void checkOrder(HubTenant stored) {
    Map<String, Long> highest = new HashMap<>();
    Set<String> mayBeLate = lost.getOrDefault(stored.tenant(), Set.of());
    for (HubTenant.Stored record : stored.records()) {
      HubTenant.Numbered numbered = HubTenant.numbered(record.key());
      if (numbered != null
          && !mayBeLate.contains(record.key())
          && highest.merge(numbered.source(), numbered.n(), Math::max) > numbered.n()) {
        result.add(CampaignResult.Counter.REORDERED, 1);
        violation(stored.tenant() + ": " + record.key() + " is stored after a later one");
      }
    }
  }

  private static String abbreviated(Object value) {
    String text = value.toString();
    return text.length() > 600 ? text.substring(0, 600) + "…" : text;
  }

  private void violation(String text) {
    result.addViolation(round + ": " + text);
  }
}
