package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.view.DatabaseCopy;
import com.datanadhi.hub.view.ViewState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a snapshot contains: `manifest.json`. All of it but the time, the program and the files is
/// what the copy of canonical.db says of itself.
///
/// @param timestamp when it was begun, in whole seconds: everything that was applied then is in it
/// @param stream the log's stream, `<topic>-<partition>` or `control`
/// @param epoch of the last applied log record, or null before the first
/// @param offset the last applied offset of the stream, or -1
/// @param seq the last seq, or 0
/// @param chain after `seq`, in lower-case hex
/// @param lastReceivedAt of the last record, in milliseconds since 1970, or 0
/// @param schemaFingerprint see [DatabaseCopy.Canonical]
/// @param programVersion of the hub that wrote it
/// @param files `canonical.db` and, if the tenant has one, `mailbox.db`
public record Manifest(
    String tenant,
    Instant timestamp,
    String stream,
    @Nullable String epoch,
    long offset,
    long seq,
    String chain,
    long lastReceivedAt,
    String schemaFingerprint,
    String programVersion,
    SortedMap<String, FileDigest> files) {
  /// The copy of canonical.db.
  public static final String CANONICAL = "canonical.db";

  /// The copy of mailbox.db.
  public static final String MAILBOX = "mailbox.db";

  /// The manifest itself.
  public static final String NAME = "manifest.json";

  static Manifest of(
      DatabaseCopy.Canonical copy,
      Instant timestamp,
      String programVersion,
      Map<String, FileDigest> files) {
    ViewState state = copy.state();
    return new Manifest(
        state.tenant(),
        timestamp,
        state.stream(),
        state.epoch(),
        state.appliedOffset(),
        state.seq(),
        state.chain(),
        state.lastReceivedAt(),
        copy.schemaFingerprint(),
        programVersion,
        new TreeMap<>(files));
  }

  /// The same content under another time.
  Manifest at(Instant time) {
    return new Manifest(
        tenant,
        time,
        stream,
        epoch,
        offset,
        seq,
        chain,
        lastReceivedAt,
        schemaFingerprint,
        programVersion,
        files);
  }

  /// Whether a database with this state has nothing that the snapshot does not have.
  boolean hasAllOf(ViewState state) {
    return Objects.equals(epoch, state.epoch())
        && offset == state.appliedOffset()
        && seq == state.seq();
  }

  /// How a canonical.db differs from this, a line for each difference.
  List<String> differences(DatabaseCopy.Canonical copy) {
    ViewState state = copy.state();
    List<String> found = new ArrayList<>();
    compare(found, "tenant", state.tenant(), tenant);
    compare(found, "stream", state.stream(), stream);
    compare(found, "epoch", state.epoch(), epoch);
    compare(found, "offset", state.appliedOffset(), offset);
    compare(found, "seq", state.seq(), seq);
    compare(found, "chain", state.chain(), chain);
    compare(found, "time of its last record", state.lastReceivedAt(), lastReceivedAt);
    compare(found, "schema fingerprint", copy.schemaFingerprint(), schemaFingerprint);
    return found;
  }

  /// The same for a mailbox.db, which can be behind.
  List<String> differences(DatabaseCopy.Mailbox copy) {
    List<String> found = new ArrayList<>();
    compare(found, "tenant", copy.tenant(), tenant);
    if (copy.appliedSeq() > seq) {
      found.add(
          "has items up to the seq " + copy.appliedSeq() + ", and canonical.db ends at " + seq);
    }
    return found;
  }

  private static void compare(
      List<String> found, String what, @Nullable Object inside, @Nullable Object said) {
    if (!Objects.equals(inside, said)) {
      found.add("has the " + what + " " + inside + ", and its manifest says " + said);
    }
  }
}
