package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.apply.ApplyFunction;
import com.datanadhi.hub.apply.MailboxCursors;
import com.datanadhi.hub.apply.PoisonException;
import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.record.Uuid7;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ApiKeyRow;
import com.datanadhi.hub.view.ControlReader;
import com.datanadhi.hub.view.ControlWriter;
import com.datanadhi.hub.view.CursorRow;
import com.datanadhi.hub.view.LossRow;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.SkipRow;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The meaning of the `control` stream: API keys, cursors, operators' decisions.
///
/// The stream is the truth. A change is appended, and in force once it is on stable storage: the
/// call that asked for it returns when it is. Records are applied in the order of the log, under
/// one lock, to the database of `_control` and to memory. Whoever comes to the lock first applies
/// all that is stable, so callers that run at the same time share an fsync and a transaction.
///
/// Keys, skips and losses are in memory, and memory follows the stream even while the database
/// cannot be written. Cursors are only in the database. A database that is damaged or missing is
/// rebuilt from the stream.
///
/// Thread-safe. Before [#start] has returned it knows nothing and says so.
public final class ControlStore implements ApiKeys, Cursors, MailboxCursors, ApplyDecisions {
  /// The stream's name.
  public static final String STREAM = "control";

  private static final int BATCH_RECORDS = 1_000;
  private static final long BATCH_BYTES = 4L << 20;
  private static final Duration VISIBLE = Duration.ofSeconds(10);

  /// Longer texts are no keys of ours, and are not worth their hash.
  private static final int MAX_KEY_LENGTH = 256;

  private static final int MAX_NAME_LENGTH = 255;
  private static final int MAX_REASON_LENGTH = 1_000;
  private static final int MAX_CURSOR_NAME_LENGTH = 255;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record StoredKey(ApiKey key, byte[] sha256) {}

  private final Log log;
  private final TenantDatabases databases;
  private final ApplyFunction function = new ApplyFunction(STREAM, this);
  private final Clock clock;
  private final Uuid7 uuids = new Uuid7();
  private final long keyHorizonMillis;

  private final Map<ByteBuffer, StoredKey> keysByDigest = new ConcurrentHashMap<>();
  private final Map<String, StoredKey> keysById = new ConcurrentHashMap<>();
  private final Map<String, Map<Long, String>> skips = new ConcurrentHashMap<>();
  private final Map<String, List<Loss>> losses = new ConcurrentHashMap<>();
  private volatile boolean ready;
  private volatile @Nullable String problem;

  private final ReentrantLock lock = new ReentrantLock();
  // Guarded by the lock: the offsets up to which memory and the database are.
  private long memoryOffset = -1;
  private volatile long databaseOffset = -1;
  private boolean databaseLoaded;
  private @Nullable Loss damage;
  private final List<Loss> passedOver = new ArrayList<>();

  /// @param keyHorizonMillis noted in each record, as in all log records
  public ControlStore(Log log, TenantDatabases databases, Clock clock, long keyHorizonMillis) {
    this.log = log;
    this.databases = databases;
    this.clock = clock;
    this.keyHorizonMillis = keyHorizonMillis;
  }

  // ---- start

  /// Reads what the database does not have yet, up to the stream's head, and from then on answers.
  ///
  /// @throws ControlDamagedException the stream cannot be read, or does not fit the database; the
  ///   message says what to do. Nothing but [ApiKeys.NotReady] is answered, but appends and [#skip]
  ///   work, and a later [#start] tries again.
  public void start() throws IOException, ControlDamagedException, InterruptedException {
    lock.lockInterruptibly();
    try {
      if (!databaseLoaded) {
        loadDatabase();
      }
      catchUp(log.stableEnd(STREAM) - 1);
      ready = true;
    } finally {
      lock.unlock();
    }
  }

  /// Whether the stream has been read up to its head.
  public boolean isReady() {
    return ready;
  }

  /// Why the database of `_control` does not follow now, or null: what is decided is in force all
  /// the same.
  public @Nullable String problem() {
    return problem;
  }

  private void loadDatabase() throws IOException, ControlDamagedException, InterruptedException {
    boolean rebuilt = false;
    while (true) {
      forgetAll();
      try {
        ViewState state =
            databases.read(
                TenantName.CONTROL,
                reader -> {
                  ControlReader control = reader.control();
                  control.apiKeys().forEach(this::remember);
                  control.skips().forEach(this::remember);
                  control.losses().forEach(this::remember);
                  return reader.state();
                });
        checkFits(state);
        memoryOffset = state.appliedOffset();
        databaseOffset = state.appliedOffset();
        databaseLoaded = true;
        return;
      } catch (ViewException unusable) {
        if (unusable.kind() != ViewException.Kind.DAMAGED || rebuilt) {
          throw new IOException(
              "the database of " + TenantName.CONTROL + " cannot be used: " + unusable.getMessage(),
              unusable);
        }
        rebuilt = true;
        setAside(unusable);
      }
    }
  }

  private void forgetAll() {
    keysByDigest.clear();
    keysById.clear();
    skips.clear();
    losses.clear();
    memoryOffset = -1;
    databaseOffset = -1;
    passedOver.clear();
  }

  /// A stream that ends before the database, or is another one, would make keys unknown that
  /// senders hold: they would discard what they cannot deliver.
  private void checkFits(ViewState state) throws IOException, ControlDamagedException {
    long applied = state.appliedOffset();
    if (applied < 0) {
      checkStartsAt(0);
      return;
    }
    if (applied >= log.stableEnd(STREAM)) {
      throw new ControlDamagedException(
          "the stream "
              + STREAM
              + " ends at offset "
              + log.stableEnd(STREAM)
              + ", but its database has applied offset "
              + applied
              + ": the log of this directory is missing or older than its databases."
              + " Put back the log that belongs to it");
    }
    if (applied < log.start(STREAM)) {
      checkStartsAt(applied + 1);
      return;
    }
    try {
      List<LogEntry> last = log.read(STREAM, applied, 1, 1);
      if (!last.isEmpty() && !last.getFirst().epoch().toString().equals(state.epoch())) {
        throw new ControlDamagedException(
            "the database of "
                + STREAM
                + " follows another log (epoch "
                + state.epoch()
                + ") than the one in this directory (epoch "
                + last.getFirst().epoch()
                + "). Put back the log that belongs to it");
      }
    } catch (DamagedException behindUs) {
      // It was applied before it was damaged; `verify log` names it.
      Events.warning("control_record_damaged", "reason", String.valueOf(behindUs.getMessage()));
    }
  }

  private void checkStartsAt(long needed) throws ControlDamagedException {
    if (log.start(STREAM) > needed) {
      throw new ControlDamagedException(
          "the stream "
              + STREAM
              + " begins at offset "
              + log.start(STREAM)
              + ", but its database needs it from "
              + needed
              + ": API keys would be missing. Put back the database or the log");
    }
  }

  private void setAside(ViewException damage) throws IOException, InterruptedException {
    try {
      Path aside = databases.setAside(TenantName.CONTROL);
      Events.severe(
          "control_database_rebuilt",
          damage,
          "reason",
          String.valueOf(damage.getMessage()),
          "set_aside",
          aside);
    } catch (ViewException failed) {
      throw new IOException(
          "the damaged database of " + TenantName.CONTROL + " cannot be renamed", failed);
    }
  }

  // ---- applying, under the lock

  /// Applies everything up to `offset`, and what is stable behind it.
  private void catchUp(long offset)
      throws IOException, ControlDamagedException, InterruptedException {
    while (memoryOffset < offset || databaseOffset < memoryOffset) {
      boolean databaseFollows = databaseOffset < memoryOffset;
      long from = Math.min(databaseOffset, memoryOffset) + 1;
      List<LogEntry> entries;
      try {
        entries = log.read(STREAM, from, BATCH_RECORDS, BATCH_BYTES);
      } catch (DamagedException damaged) {
        if (damaged.endOffset() <= memoryOffset && !isDecided(damaged)) {
          // Memory has them, and can go on; only a new database cannot be made without them.
          problem = String.valueOf(damaged.getMessage());
          applyToMemory(offset);
          return;
        }
        passOver(damaged);
        continue;
      }
      if (entries.isEmpty()) {
        if (databaseFollows && memoryOffset >= offset) {
          return;
        }
        if (!log.awaitStable(STREAM, from - 1, VISIBLE)) {
          throw new IOException("offset " + from + " of " + STREAM + " is not readable");
        }
        continue;
      }
      if (!apply(entries)) {
        remember(entries, meanings(entries));
        applyToMemory(offset);
        return;
      }
    }
  }

  /// Brings the database up to the end of `entries`, then memory.
  ///
  /// @return false if the database cannot be written now
  private boolean apply(List<LogEntry> entries)
      throws IOException, ControlDamagedException, InterruptedException {
    List<ControlRecord> records = meanings(entries);
    long before = databaseOffset;
    long last = entries.getLast().offset();
    try {
      databaseOffset =
          databases.write(
              TenantName.CONTROL,
              writer -> {
                long applied = writer.state().appliedOffset();
                if (applied != before && !isLost(applied + 1, before, passedOver)) {
                  // The file was replaced or deleted underneath: its own position decides.
                  return applied;
                }
                ApplyFunction.Applied _ = function.apply(writer, entries);
                for (int i = 0; i < entries.size(); i++) {
                  put(writer.control(), entries.get(i), records.get(i));
                }
                return last;
              });
      problem = null;
      if (databaseOffset < last) {
        checkStartsAt(databaseOffset + 1);
        return true;
      }
    } catch (PoisonException poison) {
      throw new ControlDamagedException(
          "offset " + poison.offset() + " of " + STREAM + ": " + poison.getMessage());
    } catch (ViewException unusable) {
      if (unusable.kind() == ViewException.Kind.DAMAGED) {
        // Memory is right; the next turn of the loop writes a new database from the beginning.
        setAside(unusable);
        checkStartsAt(0);
        databaseOffset = -1;
        return true;
      }
      if (problem == null) {
        Events.severe(
            "control_database_unavailable",
            unusable,
            "reason",
            String.valueOf(unusable.getMessage()));
      }
      problem = String.valueOf(unusable.getMessage());
      return false;
    }
    remember(entries, records);
    return true;
  }

  /// Brings only memory up to `offset`, and leaves the database for a later call.
  private void applyToMemory(long offset)
      throws IOException, ControlDamagedException, InterruptedException {
    while (memoryOffset < offset) {
      try {
        List<LogEntry> more = log.read(STREAM, memoryOffset + 1, BATCH_RECORDS, BATCH_BYTES);
        if (more.isEmpty() && !log.awaitStable(STREAM, memoryOffset, VISIBLE)) {
          throw new IOException(
              "offset " + (memoryOffset + 1) + " of " + STREAM + " is not readable");
        }
        remember(more, meanings(more));
      } catch (DamagedException damaged) {
        passOver(damaged);
      }
    }
  }

  private static List<ControlRecord> meanings(List<LogEntry> entries)
      throws ControlDamagedException {
    List<ControlRecord> records = new ArrayList<>(entries.size());
    for (LogEntry entry : entries) {
      try {
        records.add(ControlRecord.ofPayload(entry.payload()));
      } catch (ControlRecord.UnreadableException unreadable) {
        throw new ControlDamagedException(
            "the log record "
                + LogEntry.position(entry.epoch(), STREAM, entry.offset())
                + " cannot be understood: "
                + unreadable.getMessage()
                + ". Start the version of the hub that wrote it, or a later one");
      }
    }
    return records;
  }

  private static void put(ControlWriter writer, LogEntry entry, ControlRecord record) {
    switch (record) {
      case ControlRecord.KeyCreated(String id, String tenant, String name, String sha256) ->
          writer.putApiKey(new ApiKeyRow(id, tenant, name, sha256, entry.time(), null));
      case ControlRecord.KeyRevoked(String id) -> writer.revokeApiKey(id, entry.time());
      case ControlRecord.CursorMoved(
              String tenant,
              String pipeline,
              String consumer,
              long through) ->
          writer.putCursor(
              new CursorRow(tenant, pipeline, consumer, through, entry.time(), entry.offset()));
      case ControlRecord.Skip(_, String stream, long offset, String reason) ->
          writer.putSkip(new SkipRow(stream, offset, reason, entry.time()));
      case ControlRecord.Loss(String stream, long first, long last, String reason) ->
          writer.putLoss(new LossRow(stream, first, last, reason));
    }
  }

  private void remember(List<LogEntry> entries, List<ControlRecord> records) {
    for (int i = 0; i < entries.size(); i++) {
      long offset = entries.get(i).offset();
      if (offset > memoryOffset) {
        remember(entries.get(i).time(), records.get(i));
        memoryOffset = offset;
      }
    }
  }

  private void remember(long time, ControlRecord record) {
    switch (record) {
      case ControlRecord.KeyCreated(String id, String tenant, String name, String sha256) ->
          remember(new ApiKeyRow(id, tenant, name, sha256, time, null));
      case ControlRecord.KeyRevoked(String id) -> {
        StoredKey known = keysById.get(id);
        if (known != null && known.key().isValid()) {
          ApiKey key = known.key();
          remember(
              new StoredKey(
                  new ApiKey(key.id(), key.tenant(), key.name(), key.createdAt(), time),
                  known.sha256()));
        }
      }
      case ControlRecord.Skip(_, String stream, long offset, String reason) ->
          remember(new SkipRow(stream, offset, reason, time));
      case ControlRecord.Loss(String stream, long first, long last, String reason) ->
          remember(new LossRow(stream, first, last, reason));
      case ControlRecord.CursorMoved _ -> {}
    }
  }

  private void remember(ApiKeyRow row) {
    remember(
        new StoredKey(
            new ApiKey(row.id(), row.tenant(), row.name(), row.createdAt(), row.revokedAt()),
            HexFormat.of().parseHex(row.sha256())));
  }

  private void remember(StoredKey stored) {
    keysById.put(stored.key().id(), stored);
    keysByDigest.put(ByteBuffer.wrap(stored.sha256()), stored);
  }

  private void remember(SkipRow row) {
    skips
        .computeIfAbsent(row.stream(), _ -> new ConcurrentHashMap<>())
        .putIfAbsent(row.offset(), row.reason());
  }

  private void remember(LossRow row) {
    Loss loss = new Loss(row.first(), row.last(), row.reason());
    losses.merge(
        row.stream(),
        List.of(loss),
        (before, _) -> {
          List<Loss> all = new ArrayList<>(before);
          all.remove(loss);
          all.add(loss);
          all.sort(Comparator.comparingLong(Loss::first));
          return List.copyOf(all);
        });
  }

  // ---- damage of the stream itself

  /// Continues behind damaged records if an operator has decided that they are lost: the decision
  /// stands behind them in the same stream.
  private void passOver(DamagedException damaged)
      throws IOException, ControlDamagedException, InterruptedException {
    long last = damaged.endOffset() - 1;
    if (isDecided(damaged)) {
      damage = null;
      passedOver.add(new Loss(damaged.firstOffset(), last, String.valueOf(damaged.getMessage())));
      memoryOffset = Math.max(memoryOffset, last);
      databaseOffset = Math.max(databaseOffset, last);
      return;
    }
    ready = false;
    damage = new Loss(damaged.firstOffset(), last, String.valueOf(damaged.getMessage()));
    throw new ControlDamagedException(
        damaged.getMessage()
            + ". API keys may be missing, so no sender is answered. Put back a sound copy of the"
            + " segment, or accept the loss with: echopost-hub skip --position "
            + LogEntry.position(log.epoch(), STREAM, damaged.firstOffset())
            + " --reason TEXT");
  }

  private boolean isDecided(DamagedException damaged) throws IOException {
    long last = damaged.endOffset() - 1;
    return isLost(damaged.firstOffset(), last, losses(STREAM))
        || isLost(damaged.firstOffset(), last, lossesBehind(damaged.endOffset()));
  }

  private static boolean isLost(long first, long last, List<Loss> losses) {
    return losses.stream().anyMatch(loss -> loss.first() <= first && last <= loss.last());
  }

  private List<Loss> lossesBehind(long from) throws IOException {
    List<Loss> found = new ArrayList<>();
    try {
      for (long next = from; ; ) {
        List<LogEntry> entries = log.read(STREAM, next, BATCH_RECORDS, BATCH_BYTES);
        if (entries.isEmpty()) {
          return found;
        }
        for (LogEntry entry : entries) {
          try {
            if (ControlRecord.ofPayload(entry.payload())
                    instanceof ControlRecord.Loss(var stream, var first, var last, var reason)
                && stream.equals(STREAM)) {
              found.add(new Loss(first, last, reason));
            }
          } catch (ControlRecord.UnreadableException reportedInItsTurn) {
            Events.warning("control_record_unreadable", "offset", entry.offset());
          }
        }
        next = entries.getLast().offset() + 1;
      }
    } catch (DamagedException furtherOn) {
      found.addAll(lossesBehind(furtherOn.endOffset()));
      return found;
    }
  }

  // ---- changes

  /// Appends a record, waits until it is on stable storage, and applies it.
  private void record(ControlRecord record)
      throws ControlUnavailableException, InterruptedException {
    long now = clock.wallMillis();
    byte[] payload = record.toPayload(uuids.next(now).toString(), keyHorizonMillis);
    NewEntry entry = new NewEntry(EventBody.TRANSACTIONS, now, payload);
    switch (log.append(STREAM, List.of(entry), Durability.FSYNC)) {
      case Append.Refused refused -> throw new ControlUnavailableException(refused.detail());
      case Append.Accepted accepted -> {
        switch (accepted.await()) {
          case Append.Stored(long offset) -> applyUpTo(offset);
          case Append.Unknown(String detail) ->
              throw new ControlUnavailableException(
                  "it is not known whether the change is stored: " + detail);
        }
      }
    }
  }

  private void applyUpTo(long offset) throws ControlUnavailableException, InterruptedException {
    lock.lockInterruptibly();
    try {
      if (databaseLoaded && (memoryOffset < offset || databaseOffset < offset)) {
        catchUp(offset);
      }
    } catch (IOException | ControlDamagedException failed) {
      throw new ControlUnavailableException(
          "the change is stored, but not in force yet: " + failed.getMessage());
    } finally {
      lock.unlock();
    }
  }

  private void checkReady() throws ControlUnavailableException {
    if (!ready) {
      throw new ControlUnavailableException(
          "the stream " + STREAM + " has not been read up to its head");
    }
  }

  /// Creates a key, and the tenant with its first key. It opens the door when this returns.
  ///
  /// @param name for people, at most 255 characters, or null
  /// @throws IllegalArgumentException a name breaks its rule; the message says which
  public NewApiKey createKey(String tenant, @Nullable String name)
      throws ControlUnavailableException, InterruptedException {
    if (!TenantName.isValid(tenant)) {
      throw new IllegalArgumentException(
          "a tenant's name has 1 to 64 characters of a-z, 0-9, _ and -, and begins with a letter or"
              + " a digit");
    }
    if (name != null && name.length() > MAX_NAME_LENGTH) {
      throw new IllegalArgumentException("a key's name has at most 255 characters");
    }
    checkReady();
    String text = ApiKeyText.newKey();
    String id = ApiKeyText.newId();
    while (keysById.containsKey(id)) {
      id = ApiKeyText.newId();
    }
    record(
        new ControlRecord.KeyCreated(
            id, tenant, name, HexFormat.of().formatHex(ApiKeyText.digest(text))));
    Events.info("api_key_created", "id", id, "tenant", tenant, "name", name);
    return new NewApiKey(id, tenant, name, text);
  }

  /// Makes a key invalid. It is refused when this returns.
  ///
  /// @return the key; null if none has this id
  public @Nullable ApiKey revokeKey(String id)
      throws ControlUnavailableException, InterruptedException {
    checkReady();
    StoredKey known = keysById.get(id);
    if (known == null) {
      return null;
    }
    if (known.key().isValid()) {
      record(new ControlRecord.KeyRevoked(id));
      Events.info("api_key_revoked", "id", id, "tenant", known.key().tenant());
    }
    return Objects.requireNonNull(keysById.get(id)).key();
  }

  /// All keys, the oldest first, revoked ones included.
  ///
  /// @param tenant only its keys; null for all
  public List<ApiKey> keys(@Nullable String tenant) throws ControlUnavailableException {
    checkReady();
    return keysById.values().stream()
        .map(StoredKey::key)
        .filter(key -> tenant == null || key.tenant().equals(tenant))
        .sorted(Comparator.comparingLong(ApiKey::createdAt).thenComparing(ApiKey::id))
        .toList();
  }

  /// The tenants that have or had a key, in order.
  public List<String> tenants() {
    TreeSet<String> tenants = new TreeSet<>();
    keysById.values().forEach(stored -> tenants.add(stored.key().tenant()));
    return List.copyOf(tenants);
  }

  /// Decides that a log record is not applied.
  ///
  /// @throws IllegalArgumentException there is no such log record, or it is applied already; the
  ///   message says which
  public void skip(Position position, String reason)
      throws ControlUnavailableException, IOException, InterruptedException {
    checkReason(reason);
    if (position.stream().equals(STREAM)) {
      acceptLossOfControl(position, reason);
      return;
    }
    checkReady();
    checkCanBeSkipped(position);
    if (skipReason(position.stream(), position.offset()) == null) {
      record(
          new ControlRecord.Skip(
              position.toString(), position.stream(), position.offset(), reason));
      Events.warning("record_skipped", "position", position, "reason", reason);
    }
  }

  /// Records that nothing can replace a range of log records.
  public void recordLoss(String stream, Loss loss)
      throws ControlUnavailableException, InterruptedException {
    checkReady();
    if (!losses(stream).contains(loss)) {
      record(new ControlRecord.Loss(stream, loss.first(), loss.last(), loss.reason()));
      Events.severe(
          "records_lost",
          null,
          "stream",
          stream,
          "first",
          loss.first(),
          "last",
          loss.last(),
          "reason",
          loss.reason());
    }
  }

  private static void checkReason(String reason) {
    if (reason.isBlank() || reason.length() > MAX_REASON_LENGTH) {
      throw new IllegalArgumentException("a reason has 1 to 1,000 characters");
    }
  }

  private void acceptLossOfControl(Position position, String reason)
      throws ControlUnavailableException, IOException, InterruptedException {
    Loss damaged;
    lock.lockInterruptibly();
    try {
      damaged = damage;
    } finally {
      lock.unlock();
    }
    if (damaged == null
        || position.offset() < damaged.first()
        || position.offset() > damaged.last()) {
      throw new IllegalArgumentException(
          position + " is not damaged; records of " + STREAM + " can only be skipped if they are");
    }
    record(new ControlRecord.Loss(STREAM, damaged.first(), damaged.last(), reason));
    try {
      start();
    } catch (ControlDamagedException furtherOn) {
      throw new ControlUnavailableException(String.valueOf(furtherOn.getMessage()));
    }
  }

  /// A record that a live tenant has applied is applied in each rebuild too.
  private void checkCanBeSkipped(Position position)
      throws ControlUnavailableException, IOException, InterruptedException {
    List<LogEntry> found;
    try {
      found = log.read(position.stream(), position.offset(), 1, 1);
    } catch (DamagedException damaged) {
      throw new IllegalArgumentException(
          "the log record " + position + " is damaged, not poisonous: " + damaged.getMessage(),
          damaged);
    }
    if (found.isEmpty()
        || found.getFirst().offset() != position.offset()
        || !found.getFirst().epoch().toString().startsWith(position.epoch())) {
      throw new IllegalArgumentException("the log has no record " + position);
    }
    List<Transaction> transactions;
    try {
      transactions = EventCodec.decode(found.getFirst().payload()).transactions();
    } catch (EventCodec.InvalidBodyException noTenantCanApplyIt) {
      return;
    }
    for (String tenant : transactions.stream().map(Transaction::tenant).distinct().toList()) {
      try {
        if (databases.exists(tenant)
            && databases.read(tenant, reader -> reader.state().appliedOffset())
                >= position.offset()) {
          throw new IllegalArgumentException(
              "the log record " + position + " is applied already, for tenant " + tenant);
        }
      } catch (ViewException unusable) {
        if (unusable.kind() != ViewException.Kind.DAMAGED) {
          throw new ControlUnavailableException(
              "it cannot be told whether tenant "
                  + tenant
                  + " has applied it: "
                  + unusable.getMessage());
        }
      }
    }
  }

  // ---- ApiKeys

  @Override
  public Identity identify(@Nullable String apiKey) {
    if (!ready) {
      return new NotReady();
    }
    if (apiKey == null || apiKey.isEmpty()) {
      return new Unknown(
          "send an API key in the header DATANADHI-API-KEY, or as Authorization: Bearer");
    }
    if (apiKey.length() <= MAX_KEY_LENGTH) {
      byte[] digest = ApiKeyText.digest(apiKey);
      StoredKey found = keysByDigest.get(ByteBuffer.wrap(digest));
      if (found != null && MessageDigest.isEqual(found.sha256(), digest)) {
        if (found.key().isValid()) {
          return new Known(found.key().tenant());
        }
        return new Unknown(
            "this API key was revoked; ask the operator of the hub for another one"
                + " (echopost-hub key create)");
      }
    }
    return new Unknown(
        "this API key is not known here; compare it with the one that echopost-hub key create"
            + " printed, and the hub that it was created on");
  }

  // ---- Cursors

  @Override
  public void move(String tenant, String pipeline, String consumer, long through)
      throws ControlUnavailableException, InterruptedException {
    if (through < 0) {
      throw new IllegalArgumentException("a cursor is at 0 or more");
    }
    if (consumer.isEmpty() || consumer.length() > MAX_CURSOR_NAME_LENGTH) {
      throw new IllegalArgumentException("a consumer's name has 1 to 255 characters");
    }
    checkReady();
    record(new ControlRecord.CursorMoved(tenant, pipeline, consumer, through));
    String behind = problem;
    if (behind != null) {
      throw new ControlUnavailableException(behind);
    }
    try {
      catchUp(tenant);
    } catch (ViewException later) {
      // The cursor is where it was moved to; the next move or rebuild brings the mailbox there.
      Events.warning(
          "mailbox_cursor_behind", "tenant", tenant, "reason", String.valueOf(later.getMessage()));
    }
  }

  /// {@inheritDoc}
  ///
  /// A mailbox holds the offset up to which its cursors are, so it does not matter how many threads
  /// do this at the same time.
  @Override
  public void catchUp(String tenant) throws ViewException, InterruptedException {
    long upTo = databases.readMailbox(tenant, MailboxReader::controlOffset);
    List<CursorRow> newer = read(reader -> reader.control().cursorsAfter(tenant, upTo));
    if (newer.isEmpty()) {
      return;
    }
    int _ =
        databases.writeMailbox(
            tenant,
            mailbox -> {
              int moved = 0;
              for (CursorRow row : newer) {
                if (row.controlOffset() > mailbox.controlOffset()) {
                  mailbox.moveCursor(
                      row.pipeline(),
                      row.consumer(),
                      row.through(),
                      row.updatedAt(),
                      row.controlOffset());
                  moved++;
                }
              }
              return moved;
            });
  }

  @Override
  public long through(String tenant, String pipeline, String consumer)
      throws ViewException, InterruptedException {
    return read(reader -> {
      CursorRow cursor = reader.control().cursor(tenant, pipeline, consumer);
      return cursor == null ? 0L : cursor.through();
    });
  }

  /// What the database said, and how far it was.
  private record Answer<T>(long applied, T value) {}

  /// Reads from the database. One that was deleted or replaced underneath is first brought up.
  private <T> T read(TenantDatabases.Reading<T> work) throws ViewException, InterruptedException {
    long expected = databaseOffset;
    Answer<T> answer = answer(work);
    if (answer.applied() < expected) {
      bringUp();
      answer = answer(work);
    }
    return answer.value();
  }

  private <T> Answer<T> answer(TenantDatabases.Reading<T> work)
      throws ViewException, InterruptedException {
    return databases.read(
        TenantName.CONTROL,
        reader -> new Answer<>(reader.state().appliedOffset(), work.run(reader)));
  }

  private void bringUp() throws ViewException, InterruptedException {
    lock.lockInterruptibly();
    try {
      long applied = databases.read(TenantName.CONTROL, reader -> reader.state().appliedOffset());
      if (applied < databaseOffset && !isLost(applied + 1, databaseOffset, passedOver)) {
        databaseOffset = applied;
        catchUp(memoryOffset);
        if (databaseOffset < memoryOffset) {
          throw new IOException(String.valueOf(problem));
        }
      }
    } catch (IOException | ControlDamagedException failed) {
      throw new ViewException(
          ViewException.Kind.UNAVAILABLE,
          "the database of " + TenantName.CONTROL + " is not up to date: " + failed.getMessage(),
          failed);
    } finally {
      lock.unlock();
    }
  }

  // ---- ApplyDecisions

  @Override
  public @Nullable String skipReason(String stream, long offset) {
    Map<Long, String> reasons = skips.get(stream);
    return reasons == null ? null : reasons.get(offset);
  }

  @Override
  public List<Loss> losses(String stream) {
    return losses.getOrDefault(stream, List.of());
  }
}
