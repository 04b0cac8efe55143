package com.datanadhi.hub.control;

import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.view.ApiKeyRow;
import com.datanadhi.hub.view.ControlChanges;
import com.datanadhi.hub.view.ControlReader;
import com.datanadhi.hub.view.CursorRow;
import com.datanadhi.hub.view.LossRow;
import com.datanadhi.hub.view.SkipRow;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Compares the further tables of `_control` with what its records mean: API keys, skips, losses
/// and cursors, without the moments in them. Not thread-safe.
///
/// A restore sets cursors back to the last item that was restored: a cursor that is behind its
/// record is no fault. What records meant that have left the database is not judged.
public final class DerivedControl {
  private final Tables meant = new Tables();
  private final List<String> faults = new ArrayList<>();

  /// Adds the next record, in order of seq.
  public void add(StoredEvent event) {
    // A cursor without content was moved again later.
    if (!event.hasContent()) {
      return;
    }
    Position position = Position.parse(event.position());
    if (position == null) {
      fault("seq " + event.seq() + " has no position");
      return;
    }
    try {
      ControlRecord.ofJson(event.logData()).put(meant, 0, position.offset());
    } catch (ControlRecord.UnreadableException newer) {
      fault("seq " + event.seq() + " cannot be understood: " + newer.getMessage());
    }
  }

  /// All that is wrong, once every record was added: one line each.
  public List<String> faults(TenantReader reader) {
    boolean isComplete = reader.state().firstSeq() == 1;
    ControlReader stored = reader.control();
    compare(
        "API keys",
        stored.apiKeys().stream().map(key -> without(key, key.revokedAt() != null)),
        meant.keys.values(),
        isComplete);
    compare(
        "skips",
        stored.skips().stream()
            .map(skip -> new SkipRow(skip.stream(), skip.offset(), skip.reason(), 0)),
        meant.skips.values(),
        isComplete);
    compare("losses", stored.losses().stream(), meant.losses.values(), isComplete);
    compareCursors(stored, isComplete);
    return List.copyOf(faults);
  }

  private <T> void compare(
      String what, Stream<T> stored, Collection<T> wanted, boolean isComplete) {
    Set<T> rest = new HashSet<>(stored.toList());
    boolean hasAll = rest.containsAll(wanted);
    wanted.forEach(rest::remove);
    if (!hasAll || (isComplete && !rest.isEmpty())) {
      fault("its " + what + " are not those of its records");
    }
  }

  private void compareCursors(ControlReader stored, boolean isComplete) {
    Map<List<String>, CursorRow> missing = new HashMap<>(meant.cursors);
    for (String tenant : stored.tenantsWithCursorsAfter(-1)) {
      for (CursorRow row : stored.cursors(tenant)) {
        CursorRow wanted = missing.remove(name(row));
        if (wanted == null ? isComplete : row.through() > wanted.through()) {
          fault("the cursor of " + name(row) + " is not that of its records");
        }
      }
    }
    missing.keySet().forEach(name -> fault("the cursor of " + name + " is missing"));
  }

  private void fault(String what) {
    faults.add("tenant _control: " + what);
  }

  private static List<String> name(CursorRow row) {
    return List.of(row.tenant(), row.pipeline(), row.consumer());
  }

  private static ApiKeyRow without(ApiKeyRow key, boolean isRevoked) {
    return new ApiKeyRow(
        key.id(), key.tenant(), key.name(), key.sha256(), 0, isRevoked ? 0L : null);
  }

  /// The tables in memory, with 0 for each moment.
  private static final class Tables implements ControlChanges {
    private final Map<String, ApiKeyRow> keys = new HashMap<>();
    private final Map<List<Object>, SkipRow> skips = new HashMap<>();
    private final Map<List<Object>, LossRow> losses = new HashMap<>();
    private final Map<List<String>, CursorRow> cursors = new HashMap<>();

    @Override
    public void putApiKey(ApiKeyRow key) {
      keys.put(key.id(), key);
    }

    @Override
    public boolean revokeApiKey(String id, long revokedAt) {
      return keys.computeIfPresent(id, (_, key) -> without(key, true)) != null;
    }

    @Override
    public void putSkip(SkipRow skip) {
      skips.putIfAbsent(List.of(skip.stream(), skip.offset()), skip);
    }

    @Override
    public void putLoss(LossRow loss) {
      losses.putIfAbsent(List.of(loss.stream(), loss.first()), loss);
    }

    @Override
    public void putCursor(CursorRow cursor) {
      cursors.put(name(cursor), cursor);
    }

    @Override
    public void continueInNewLog(long controlOffset) {
      skips.clear();
      losses.clear();
    }
  }
}
