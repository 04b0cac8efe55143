package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.apply.MailboxCursors;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The meaning of the `control` stream: API keys, cursors, operators' decisions.
///
/// The stream is the truth. A change is appended, and in force once it is on stable storage: the
/// call that asked for it returns when it is. Keys, skips and losses are in memory, cursors only in
/// the database of `_control`, which is derived from the stream.
///
/// Thread-safe. Before [#start] has returned it knows nothing and says so.
public final class ControlStore implements ApiKeys, Cursors, MailboxCursors, ApplyDecisions {
  /// The stream's name.
  public static final String STREAM = ControlLog.STREAM;

  private final KnownKeys knownKeys = new KnownKeys();
  private final KnownDecisions knownDecisions = new KnownDecisions();
  private final ControlFollower follower;
  private final KeyAdministration keys;
  private final DecisionAdministration decisions;
  private final CursorStore cursors;

  /// @param keyHorizonMillis noted in each record, as in all log records
  public ControlStore(Log log, TenantDatabases databases, Clock clock, long keyHorizonMillis) {
    follower =
        new ControlFollower(
            new ControlLog(log, clock, keyHorizonMillis), databases, knownKeys, knownDecisions);
    keys = new KeyAdministration(follower, knownKeys);
    decisions = new DecisionAdministration(log, databases, follower, knownDecisions);
    cursors = new CursorStore(databases, follower);
  }

  /// Reads what the database does not have yet, up to the stream's head, and from then on answers.
  ///
  /// @throws ControlDamagedException the stream cannot be read, or does not fit the database; the
  ///   message says what to do. Nothing but [ApiKeys.NotReady] is answered, but appends and [#skip]
  ///   work, and a later [#start] tries again.
  public void start() throws IOException, ControlDamagedException, InterruptedException {
    follower.start();
  }

  /// Whether the stream has been read up to its head.
  public boolean isReady() {
    return follower.isReady();
  }

  /// Why the database of `_control` does not follow now, or null: what is decided is in force all
  /// the same.
  public @Nullable String problem() {
    return follower.problem();
  }

  /// The last offset of the stream that the database of `_control` has, or -1.
  public long appliedOffset() {
    return follower.appliedOffset();
  }

  /// Brings the database up to the stream if it could not be written before.
  ///
  /// @throws ControlUnavailableException the stream cannot be read
  public void retry() throws ControlUnavailableException, InterruptedException {
    follower.retry();
  }

  /// Creates a key, and the tenant with its first key. It opens the door when this returns.
  ///
  /// @param name for people, at most 255 characters, or null
  /// @throws IllegalArgumentException a name breaks its rule; the message says which
  public NewApiKey createKey(String tenant, @Nullable String name)
      throws ControlUnavailableException, InterruptedException {
    return keys.create(tenant, name);
  }

  /// Makes a key invalid. It is refused when this returns.
  ///
  /// @return the key; null if none has this id
  public @Nullable ApiKey revokeKey(String id)
      throws ControlUnavailableException, InterruptedException {
    return keys.revoke(id);
  }

  /// All keys, the oldest first, revoked ones included.
  ///
  /// @param tenant only its keys; null for all
  public List<ApiKey> keys(@Nullable String tenant) throws ControlUnavailableException {
    return keys.list(tenant);
  }

  /// The tenants that have or had a key, in order.
  public List<String> tenants() {
    return knownKeys.tenants();
  }

  /// Decides that a log record is not applied.
  ///
  /// @throws IllegalArgumentException there is no such log record, or it is applied already; the
  ///   message says which
  public void skip(Position position, String reason)
      throws ControlUnavailableException, IOException, InterruptedException {
    decisions.skip(position, reason);
  }

  /// Records that nothing can replace a range of log records.
  public void recordLoss(String stream, Loss loss)
      throws ControlUnavailableException, InterruptedException {
    decisions.recordLoss(stream, loss);
  }

  /// Records that a restored database continues in this log.
  ///
  /// @param epoch of the log that it was restored from
  /// @param seq its last one
  /// @param chain after that, in lower-case hex
  public void adopt(String tenant, String epoch, long seq, String chain)
      throws ControlUnavailableException, InterruptedException {
    follower.record(new ControlRecord.Adopted(tenant, epoch, seq, chain));
  }

  @Override
  public Identity identify(@Nullable String apiKey) {
    return follower.isReady() ? knownKeys.identify(apiKey) : new NotReady();
  }

  @Override
  public void move(String tenant, String pipeline, String consumer, long through)
      throws ControlUnavailableException, InterruptedException {
    cursors.move(tenant, pipeline, consumer, through);
  }

  @Override
  public void catchUp(String tenant) throws ViewException, InterruptedException {
    cursors.catchUp(tenant);
  }

  @Override
  public long through(String tenant, String pipeline, String consumer)
      throws ViewException, InterruptedException {
    return cursors.through(tenant, pipeline, consumer);
  }

  @Override
  public @Nullable String skipReason(String stream, long offset) {
    return knownDecisions.skipReason(stream, offset);
  }

  @Override
  public List<Loss> losses(String stream) {
    return knownDecisions.losses(stream);
  }
}
