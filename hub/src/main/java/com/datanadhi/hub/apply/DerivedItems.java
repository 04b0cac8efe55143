package com.datanadhi.hub.apply;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewState;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;

/// Compares the items of a mailbox.db with those that follow from the records of its canonical.db.
/// Its memory grows with the number of pipelines, not of items. Not thread-safe.
public final class DerivedItems {
  private static final int MAX_NAMED = 3;

  private final ViewState state;
  private final long lastSeq;
  private final PipelineNames names = new PipelineNames();
  private final MessageDigest sha = Digests.sha256();
  private final Map<String, Items> wanted = new HashMap<>();
  private final Map<String, Items> found = new HashMap<>();

  /// Those of one pipeline, in order.
  private static final class Items {
    private long lastN;
    private byte[] digest = new byte[0];

    private Items(long lastN) {
      this.lastN = lastN;
    }

    private void add(MessageDigest sha, long n, long seq) {
      lastN = n;
      sha.update(digest);
      digest = sha.digest(ByteBuffer.allocate(2 * Long.BYTES).putLong(n).putLong(seq).array());
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Items items
          && lastN == items.lastN
          && MessageDigest.isEqual(digest, items.digest);
    }

    @Override
    public int hashCode() {
      return Long.hashCode(lastN);
    }
  }

  /// @param canonical the database with the records
  /// @param lastSeq up to which mailbox.db has items
  public DerivedItems(TenantReader canonical, long lastSeq) {
    state = canonical.state();
    this.lastSeq = lastSeq;
    canonical.itemsLeft().forEach((pipeline, n) -> wanted.put(pipeline, new Items(n)));
  }

  /// Adds the next record, in order of seq.
  public void add(StoredEvent event) {
    if (event.seq() > lastSeq) {
      return;
    }
    List<String> pipelines;
    try {
      pipelines = names.of(event.pipelines());
    } catch (JacksonException changed) {
      // [HistoryWalk] tells it.
      return;
    }
    for (String pipeline : new LinkedHashSet<>(pipelines)) {
      Items items = wanted.computeIfAbsent(pipeline, _ -> new Items(0));
      items.add(sha, items.lastN + 1, event.seq());
    }
  }

  /// Adds an item of mailbox.db; those of a pipeline come in order of n.
  public void addItem(String pipeline, long n, long seq) {
    // An item leaves after its record.
    if (seq >= state.firstSeq()) {
      found.computeIfAbsent(pipeline, _ -> new Items(0)).add(sha, n, seq);
    }
  }

  /// Adds the last n of a pipeline that mailbox.db has given.
  public void addLast(String pipeline, long n) {
    found.computeIfAbsent(pipeline, _ -> new Items(0)).lastN = n;
  }

  /// All that is wrong, once everything was added: one line each.
  public List<String> faults() {
    if (lastSeq < state.firstSeq() - 1) {
      // Records have left since mailbox.db was copied: it goes on with their numbers.
      return List.of();
    }
    TreeSet<String> pipelines = new TreeSet<>(wanted.keySet());
    pipelines.addAll(found.keySet());
    List<String> different =
        pipelines.stream()
            .filter(pipeline -> !Objects.equals(wanted.get(pipeline), found.get(pipeline)))
            .toList();
    if (different.isEmpty()) {
      return List.of();
    }
    List<String> named = different.subList(0, Math.min(MAX_NAMED, different.size()));
    return List.of(
        "tenant "
            + state.tenant()
            + ": the items of the "
            + (different.size() == 1 ? "pipeline " : different.size() + " pipelines ")
            + "'"
            + String.join("', '", named)
            + (named.size() < different.size() ? "', …" : "'")
            + " are not those of its records");
  }
}
