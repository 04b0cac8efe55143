package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.AppliedTransaction;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One call of [Intake], for one tenant.
///
/// 1. Under the tenant's lock, a decision for each transaction: from the tail, the sources, and
///    what the database has said. If the database has to be asked, that happens without the lock,
///    and then again from the start; an answer "unknown" is of use only if nothing was applied
///    meanwhile.
/// 2. Still under that lock, the append, and its entries in the tail. So the order of these
///    sections is the order of the tenant's log records, and a key is claimed by its append.
/// 3. Without the lock, the wait for all that must be durable before the answer.
final class Call {
  private static final int TRIES_WITHOUT_LOCK = 2;
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Outcome UPLOAD_REFUSED =
      unavailable("upload_refused", "Nothing was stored, because of other lines.");

  /// Anything weaker than fsync is synced, and so can be read, within a second.
  private static final Duration READABLE = Duration.ofSeconds(3);

  private final Intake intake;
  private final Log log;
  private final IntakeSettings settings;
  private final TenantTail tail;
  private final String tenant;
  private final List<Item> items;
  private final boolean together;
  private final boolean allValid;
  private final String durability;
  private final Lookups lookups;
  private final List<byte[]> payloads = new ArrayList<>();

  private final List<Decision> decisions = new ArrayList<>();
  private final List<NewEntry> entries = new ArrayList<>();
  private @Nullable Pending own;
  private Outcome.@Nullable Unavailable refusal;
  private long began;

  Call(
      Intake intake,
      TenantTail tail,
      String tenant,
      List<Item> items,
      boolean together,
      boolean allValid) {
    this.intake = intake;
    this.log = intake.log();
    this.settings = intake.settings();
    this.tail = tail;
    this.tenant = tenant;
    this.items = items;
    this.together = together;
    this.allValid = allValid;
    this.durability = settings.durability().text();
    this.lookups = new Lookups(intake.view(), tenant);
  }

  List<Outcome> outcomes() throws InterruptedException {
    if (items.isEmpty()) {
      return List.of();
    }
    for (Item item : items) {
      payloads.add(encode(List.of(item.transaction()), item.quarantine()));
    }
    decideAndAppend();
    try {
      if (own != null) {
        awaitOwn(own);
      }
      List<Outcome> outcomes = new ArrayList<>(items.size());
      for (int i = 0; i < items.size(); i++) {
        outcomes.add(outcome(items.get(i), decisions.get(i)));
      }
      return outcomes;
    } catch (InterruptedException interrupted) {
      Pending left = own;
      if (left != null && left.outcome == null) {
        Thread.startVirtualThread(() -> finish(left));
      }
      throw interrupted;
    }
  }

  private void decideAndAppend() throws InterruptedException {
    for (int round = 0; ; round++) {
      List<Item> missing = new ArrayList<>();
      long version;
      tail.lock.lock();
      try {
        decide(missing);
        version = tail.version();
        if (!missing.isEmpty() && round >= TRIES_WITHOUT_LOCK) {
          ask(missing, version);
          missing.clear();
          decide(missing);
          if (!missing.isEmpty()) {
            throw new IllegalStateException("the database was asked, and gave no answer");
          }
        }
        if (missing.isEmpty()) {
          append();
          return;
        }
      } finally {
        tail.lock.unlock();
      }
      ask(missing, version);
    }
  }

  private void ask(List<Item> missing, long version) throws InterruptedException {
    if (!lookups.ask(missing, version)) {
      intake.lookupFailed();
    }
  }

  /// Decides about each item. Changes nothing but the fields of this call and the cache of sources.
  ///
  /// @param missing takes those about which the database must be asked
  private void decide(List<Item> missing) {
    decisions.clear();
    Pending pending = tail.begin();
    Map<String, Known> inCall = new HashMap<>();
    Map<KeyId, Known> clashesInCall = new HashMap<>();
    int index = 0;
    for (int i = 0; i < items.size(); i++) {
      Item item = items.get(i);
      if (payloads.get(i).length > Log.MAX_PAYLOAD) {
        decisions.add(
            new Final(
                SubmissionRules.tooLarge(
                    "The transaction has "
                        + payloads.get(i).length
                        + " bytes. Send at most "
                        + Log.MAX_PAYLOAD
                        + " under one key.")));
        continue;
      }
      Known known = inCall.get(item.key());
      boolean sameCall = known != null && known.pending() == pending;
      if (known == null) {
        Look look = look(item);
        if (look.missing) {
          missing.add(item);
          continue;
        }
        known = look.known;
      }
      if (known == null) {
        known =
            new Known(
                item.fingerprint(), item.content(), durability, pending, together ? 0 : index);
        inCall.put(item.key(), known);
        decisions.add(new Add(known));
        index += together ? 0 : 1;
        continue;
      }
      inCall.put(item.key(), known);
      if (known.isSame(item)) {
        decisions.add(new Repeat(known));
        continue;
      }
      if (together && sameCall) {
        decisions.add(
            new Final(
                new Outcome.Invalid(
                    422,
                    "Key used twice",
                    "Another line of this request has the key "
                        + item.key()
                        + " and another payload. Give each record a key of its own.")));
        continue;
      }
      KeyId id = KeyId.ofConflict(item.key(), item.content());
      Known kept = clashesInCall.get(id);
      boolean add = false;
      if (kept == null) {
        kept = tail.find(id);
      }
      if (kept == null && known.isApplied()) {
        Lookups.Conflicting answer = lookups.conflicting(item);
        if (answer == null || (!answer.kept() && answer.version() != tail.version())) {
          missing.add(item);
          continue;
        }
        kept = answer.kept() ? Known.UNVERIFIED : null;
      }
      if (kept == null) {
        add = true;
        kept = new Known(item.fingerprint(), item.content(), durability, pending, index);
        index++;
      }
      clashesInCall.put(id, kept);
      decisions.add(new Clash(known, kept, id, add));
    }
    own = pending;
  }

  /// What is known of the item's key.
  private Look look(Item item) {
    Known waiting = tail.find(item.id());
    if (waiting != null || item.made()) {
      return new Look(waiting, false);
    }
    Lookups.Answer answer = lookups.answer(item.key());
    if (answer != null) {
      AppliedTransaction row = answer.row();
      if (row != null
          && row.receivedAt() >= intake.clock().wallMillis() - settings.keyHorizonMillis()) {
        Known known =
            new Known(Fingerprint.of(row.content()), row.content(), row.durability(), null, -1);
        return new Look(known, false);
      }
      if (answer.inside()) {
        return new Look(Known.UNVERIFIED, false);
      }
    }
    if (item.source() != null) {
      String source = item.source().source();
      Lookups.Highest read = lookups.highest(source);
      if (read != null && read.version() == tail.version()) {
        tail.loaded(source, read.number());
      }
      Long highest = tail.highest(source);
      if (highest != null && item.source().number() > highest) {
        return new Look(null, false);
      }
    }
    return new Look(null, answer == null || answer.version() != tail.version());
  }

  /// Appends what is new. All of it is in the log in this order, or nothing.
  private void append() {
    Pending pending = own;
    if (pending == null) {
      return;
    }
    long time = intake.clock().wallMillis();
    boolean store = !together || (allValid && decisions.stream().noneMatch(Call::isFault));
    List<Transaction> upload = new ArrayList<>();
    List<Entry> tailEntries = new ArrayList<>();
    long records = 0;
    for (int i = 0; i < items.size(); i++) {
      Item item = items.get(i);
      switch (decisions.get(i)) {
        case Add _ when !store -> decisions.set(i, new Final(UPLOAD_REFUSED));
        case Add _ -> {
          if (together) {
            upload.add(item.transaction());
            tailEntries.add(new Entry(item, item.id(), 0));
          } else {
            tailEntries.add(new Entry(item, item.id(), entries.size()));
            entries.add(new NewEntry(item.type(), time, payloads.get(i)));
          }
          records += item.records();
        }
        case Repeat repeat when !store && repeat.known.pending() == pending ->
            decisions.set(i, new Final(UPLOAD_REFUSED));
        case Clash clash when clash.add -> {
          tailEntries.add(new Entry(item, clash.id, entries.size()));
          entries.add(new NewEntry(EventBody.CONFLICT, time, payloads.get(i)));
          records += item.records();
        }
        case Clash _, Repeat _, Final _ -> {}
      }
    }
    if (!upload.isEmpty()) {
      byte[] payload = encode(upload, null);
      if (payload.length > Log.MAX_PAYLOAD) {
        refuseUpload(payload.length);
        return;
      }
      entries.add(new NewEntry(EventBody.TRANSACTIONS, time, payload));
    }
    if (entries.isEmpty()) {
      own = null;
      return;
    }
    long bytes = 0;
    for (NewEntry entry : entries) {
      bytes += entry.payload().length;
    }
    if (!tail.reserve(settings.bounds(), records, bytes)) {
      refusal =
          unavailable(
              "unapplied",
              "Too many records wait to be written to the database. Send them again later.");
      own = null;
      return;
    }
    began = intake.clock().nanoTime();
    switch (log.append(Intake.STREAM, entries, settings.durability())) {
      case Append.Refused refused -> {
        tail.giveBack(records, bytes);
        refusal =
            switch (refused.cause()) {
              case FULL -> unavailable("log_full", refused.detail());
              case UNWRITABLE -> unavailable("log_unwritable", refused.detail());
              case CLOSED -> unavailable("shutting_down", refused.detail());
            };
        own = null;
      }
      case Append.Accepted accepted -> {
        pending.accepted = accepted;
        boolean[] counted = new boolean[entries.size()];
        for (Entry entry : tailEntries) {
          int size = counted[entry.index] ? 0 : entries.get(entry.index).payload().length;
          counted[entry.index] = true;
          tail.add(pending, entry.index, entry.id, entry.item, size, durability);
        }
      }
    }
  }

  private void refuseUpload(int bytes) {
    Outcome.Invalid invalid =
        SubmissionRules.tooLarge(
            "The lines together have " + bytes + " bytes. Send at most " + Log.MAX_PAYLOAD + ".");
    decisions.replaceAll(decision ->
        decision instanceof Add
                || (decision instanceof Repeat repeat && repeat.known.pending() == own)
            ? new Final(invalid)
            : decision);
    own = null;
  }

  private static boolean isFault(Decision decision) {
    return decision instanceof Clash || (decision instanceof Final(Outcome.Invalid _));
  }

  private Outcome outcome(Item item, Decision decision) throws InterruptedException {
    return switch (decision) {
      case Final done -> done.outcome;
      case Add add -> refusal != null ? refusal : stored(item, add.known, false);
      case Repeat repeat ->
          refusal != null
                  && repeat.known.pending() != null
                  && repeat.known.pending().accepted == null
              ? refusal
              : stored(item, repeat.known, true);
      case Clash clash -> {
        if (refusal != null
            && (clash.add
                || (clash.known.pending() != null && clash.known.pending().accepted == null)
                || (clash.kept.pending() != null && clash.kept.pending().accepted == null))) {
          yield refusal;
        }
        Outcome first = stored(item, clash.known, true);
        Outcome second = stored(item, clash.kept, true);
        if (first instanceof Outcome.Unavailable) {
          yield first;
        }
        if (second instanceof Outcome.Unavailable) {
          yield second;
        }
        yield new Outcome.Conflict(
            item.key(),
            storedContent(item.key(), clash.known, ((Outcome.Stored) first).offset()),
            item.content());
      }
    };
  }

  /// The answer when what is known is durable.
  private Outcome stored(Item item, Known known, boolean replayed) throws InterruptedException {
    long offset = known.place();
    if (known.pending() != null) {
      switch (await(known.pending())) {
        case Append.Unknown unknown -> {
          return unavailable(
              Counting.UNKNOWN,
              "It is not known whether the record was stored ("
                  + unknown.detail()
                  + "). Send it again under the same key.");
        }
        case Append.Stored stored -> offset += stored.firstOffset();
      }
    }
    boolean verified = known.fingerprint() != null;
    return new Outcome.Stored(
        new Receipt(
            tenant,
            item.key(),
            verified ? item.content().digest() : null,
            verified ? known.durability() : null),
        replayed,
        offset);
  }

  private void awaitOwn(Pending pending) throws InterruptedException {
    if (await(pending) instanceof Append.Stored) {
      long bytes = 0;
      for (NewEntry entry : entries) {
        bytes += entry.payload().length;
      }
      intake.timer().appended(entries.size(), bytes, intake.clock().nanoTime() - began);
    }
  }

  private Append.Outcome await(Pending pending) throws InterruptedException {
    Append.Outcome before = pending.outcome;
    if (before != null) {
      return before;
    }
    Append.Accepted accepted = pending.accepted;
    if (accepted == null) {
      throw new IllegalStateException("an append that was not accepted has no outcome");
    }
    Append.Outcome outcome = accepted.await();
    tail.lock.lock();
    try {
      tail.settle(pending, outcome);
      pending.outcome = outcome;
    } finally {
      tail.lock.unlock();
    }
    return outcome;
  }

  /// Nobody waits any more, but the tail must learn the offsets.
  private void finish(Pending pending) {
    try {
      await(pending);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// The content of a transaction in the log. If it cannot be read, its pipelines' digest has only
  /// the 16 digits that are in memory.
  private Content storedContent(String key, Known known, long offset) throws InterruptedException {
    if (known.content() != null) {
      return known.content();
    }
    try {
      if (log.awaitStable(Intake.STREAM, offset, READABLE)) {
        for (LogEntry entry : log.read(Intake.STREAM, offset, 1, Log.MAX_PAYLOAD)) {
          for (Transaction transaction : EventCodec.decode(entry.payload()).transactions()) {
            if (transaction.tenant().equals(tenant) && transaction.key().equals(key)) {
              return transaction.content();
            }
          }
        }
      }
    } catch (IOException | DamagedException | EventCodec.InvalidBodyException _) {
      // Applying meets the same record and reports it.
    }
    Fingerprint fingerprint = known.fingerprint();
    if (fingerprint == null) {
      throw new IllegalStateException("a key without a content conflicts with nothing");
    }
    return fingerprint.content();
  }

  private byte[] encode(List<Transaction> transactions, @Nullable String quarantine) {
    return EventCodec.encode(
        new EventBody(
            settings.keyHorizonMillis(),
            durability,
            transactions,
            quarantine == null ? "" : quarantine));
  }

  private static Outcome.Unavailable unavailable(String reason, String detail) {
    return new Outcome.Unavailable(reason, detail, RETRY);
  }

  /// What is known of a key.
  ///
  /// @param known null if it is new
  /// @param missing whether the database must be asked
  private record Look(@Nullable Known known, boolean missing) {}

  /// An entry for the tail.
  private record Entry(Item item, KeyId id, int index) {}

  /// What is done with an item.
  private sealed interface Decision {}

  /// It is new.
  private record Add(Known known) implements Decision {}

  /// It is, or will be, stored already.
  private record Repeat(Known known) implements Decision {}

  /// It has another payload than what is stored.
  ///
  /// @param kept the conflict
  /// @param id of the conflict
  /// @param add whether the conflict is kept by this call
  private record Clash(Known known, Known kept, KeyId id, boolean add) implements Decision {}

  /// The outcome does not depend on an append.
  private record Final(Outcome outcome) implements Decision {}
}
