package com.datanadhi.hub.intake;

import com.datanadhi.hub.apply.ApplyListener;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.record.Uuid7;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The one way in: validates, looks up keys, joins or appends, and answers when the records are
/// durable. Thread-safe; calls block, so they are made on virtual threads.
///
/// It is told what is applied ([ApplyListener]): those keys leave the memory, as the tenant's
/// database knows them from then on. Keys of log records that an earlier process appended are
/// loaded by [TailLoader] before the first call.
///
/// A tenant whose database cannot be read is served: a key that is in none of the log records that
/// wait to be applied is taken as new, and applying decides.
public final class Intake implements ApplyListener {
  /// The stream of the records of all tenants.
  public static final String STREAM = "events-0";

  private final Log log;
  private final View view;
  private final IntakeSettings settings;
  private final Clock clock;
  private final AppendTimer timer;
  private final Uuid7 uuids = new Uuid7();
  private final Counting counting = new Counting();
  private final AtomicLong unapplied = new AtomicLong();
  private final AtomicLong failedLookups = new AtomicLong();
  private final AtomicInteger sources = new AtomicInteger();
  private final ConcurrentHashMap<String, TenantTail> tails = new ConcurrentHashMap<>();

  /// @param timer is told about each durable append
  public Intake(
      Log log, TenantDatabases databases, IntakeSettings settings, Clock clock, AppendTimer timer) {
    this(log, View.of(databases), settings, clock, timer);
  }

  Intake(Log log, View view, IntakeSettings settings, Clock clock, AppendTimer timer) {
    this.log = log;
    this.view = view;
    this.settings = settings;
    this.clock = clock;
    this.timer = timer;
  }

  /// One transaction.
  public Outcome submit(String tenant, Submission transaction) throws InterruptedException {
    return submitEach(tenant, List.of(transaction)).getFirst();
  }

  /// Several transactions, in their order; each has an outcome of its own. If one is `Unavailable`,
  /// the sender sends all again. A second transaction with a key of the same call is a repeat of
  /// the first, or conflicts with it.
  ///
  /// @param transactions at most 1,000
  public List<Outcome> submitEach(String tenant, List<Submission> transactions)
      throws InterruptedException {
    return counted(tenant, transactions, false);
  }

  /// Several transactions, of which all that are not known yet become one log record, or none. The
  /// outcomes are in the order given. If one is `Invalid` or `Conflict`, nothing was stored, and
  /// the others are of no account: look for those two first.
  ///
  /// @param transactions at most 1,000
  public List<Outcome> submitTogether(String tenant, List<Submission> transactions)
      throws InterruptedException {
    return counted(tenant, transactions, true);
  }

  private List<Outcome> counted(String tenant, List<Submission> transactions, boolean together)
      throws InterruptedException {
    if (transactions.size() > SubmissionRules.MAX_RECORDS) {
      throw new IllegalArgumentException(transactions.size() + " transactions in one call");
    }
    counting.begin(transactions.size());
    List<Outcome> outcomes = null;
    try {
      outcomes = outcomes(tenant, transactions, together);
      return outcomes;
    } finally {
      if (outcomes == null) {
        counting.abandon(transactions.size());
      } else {
        counting.end(outcomes);
      }
    }
  }

  private List<Outcome> outcomes(String tenant, List<Submission> transactions, boolean together)
      throws InterruptedException {
    List<@Nullable Outcome> outcomes =
        new ArrayList<>(Collections.nCopies(transactions.size(), null));
    List<Item> items = new ArrayList<>(transactions.size());
    List<Integer> numbers = new ArrayList<>(transactions.size());
    for (int i = 0; i < transactions.size(); i++) {
      Submission submission = transactions.get(i);
      Outcome.Invalid invalid = SubmissionRules.check(submission);
      if (invalid == null) {
        String made = submission.key() == null ? uuids.next(clock.wallMillis()).toString() : null;
        items.add(Item.of(tenant, submission, made));
        numbers.add(i);
      } else {
        outcomes.set(i, invalid);
      }
    }
    boolean allValid = items.size() == transactions.size();
    List<Outcome> those =
        new Call(this, tail(tenant), tenant, items, together, allValid).outcomes();
    for (int i = 0; i < those.size(); i++) {
      outcomes.set(numbers.get(i), those.get(i));
    }
    return List.copyOf(outcomes);
  }

  /// The receipt of a transaction that is durable and not applied yet, with the offset of its log
  /// record, or null if none is stored under this key. The database has those that are applied.
  public Outcome.@Nullable Stored unapplied(String tenant, String key) {
    TenantTail tail = tails.get(tenant);
    if (tail == null) {
      return null;
    }
    tail.lock.lock();
    try {
      Known known = tail.find(KeyId.of(key));
      if (known == null || known.pending() != null || known.fingerprint() == null) {
        return null;
      }
      String sha256 = known.fingerprint().content().digest();
      return new Outcome.Stored(
          new Receipt(tenant, key, sha256, known.durability()), true, known.place());
    } finally {
      tail.lock.unlock();
    }
  }

  @Override
  public void applied(String tenant, String stream, long offset, List<String> keys, long bytes) {
    if (!stream.equals(STREAM)) {
      return;
    }
    List<KeyId> ids = keys.stream().map(KeyId::of).toList();
    TenantTail tail = tail(tenant);
    tail.lock.lock();
    try {
      tail.applied(offset, keys, ids);
    } finally {
      tail.lock.unlock();
    }
  }

  /// Adds a transaction of a log record that an earlier process appended, if it is not applied.
  ///
  /// @param bytes of the payload, once for each log record
  void restore(int type, Transaction transaction, String durability, long offset, int bytes) {
    KeyId id =
        type == EventBody.CONFLICT
            ? KeyId.ofConflict(transaction.key(), transaction.content())
            : KeyId.of(transaction.key());
    TenantTail tail = tail(transaction.tenant());
    tail.lock.lock();
    try {
      tail.restore(
          id,
          Fingerprint.of(transaction.content()),
          offset,
          transaction.records().size(),
          bytes,
          durability);
    } finally {
      tail.lock.unlock();
    }
  }

  /// What became of the transactions since the process started.
  public IntakeCounts counts() {
    return counting.snapshot();
  }

  /// Records of all tenants that are in the log and not applied.
  public long unappliedRecords() {
    return unapplied.get();
  }

  /// Calls for which a tenant's database could not be read, since the process started.
  public long failedLookups() {
    return failedLookups.get();
  }

  Log log() {
    return log;
  }

  View view() {
    return view;
  }

  IntakeSettings settings() {
    return settings;
  }

  Clock clock() {
    return clock;
  }

  AppendTimer timer() {
    return timer;
  }

  void lookupFailed() {
    failedLookups.incrementAndGet();
  }

  private TenantTail tail(String tenant) {
    TenantTail tail = tails.get(tenant);
    return tail != null
        ? tail
        : tails.computeIfAbsent(tenant, _ -> new TenantTail(unapplied, sources));
  }
}
