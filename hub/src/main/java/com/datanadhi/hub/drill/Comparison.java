package com.datanadhi.hub.drill;

import com.datanadhi.hub.apply.HistoryCheck;
import com.datanadhi.hub.record.CursorKey;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.PipelineItem;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Compares restored databases with live ones, which can have more at their end, and less at their
/// begin.
final class Comparison {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};
  private static final int PAGE = 1_000;

  private final String tenant;
  private final TenantDatabases restored;
  private final TenantDatabases live;
  private final TreeSet<String> pipelines = new TreeSet<>();

  Comparison(String tenant, TenantDatabases restored, TenantDatabases live) {
    this.tenant = tenant;
    this.restored = restored;
    this.live = live;
  }

  /// The first difference, or null.
  @Nullable String difference() throws ViewException, InterruptedException {
    ViewState copy = restored.read(tenant, reader -> reader.state());
    ViewState now = live.read(tenant, reader -> reader.state());
    if (copy.seq() > now.seq()) {
      return "the restored history ends at seq " + copy.seq() + ", the live one at " + now.seq();
    }
    String chain = new HistoryCheck(live).chainAt(tenant, copy.seq());
    if (chain != null && !chain.equals(copy.chain())) {
      return "at seq " + copy.seq() + " the restored chain is not the live one";
    }
    String rows = rowsFrom(Math.max(copy.firstSeq(), now.firstSeq()), copy.seq());
    return rows == null ? items(copy.seq()) : rows;
  }

  private @Nullable String rowsFrom(long first, long last)
      throws ViewException, InterruptedException {
    long next = first;
    while (next <= last) {
      String difference = page(next, last);
      long liveFirst = live.read(tenant, reader -> reader.state()).firstSeq();
      if (difference != null && liveFirst > next) {
        // Old rows have left the live database meanwhile.
        next = liveFirst;
      } else if (difference != null) {
        return difference;
      } else {
        next += PAGE;
      }
    }
    return null;
  }

  private @Nullable String page(long next, long last) throws ViewException, InterruptedException {
    List<StoredEvent> copies = rows(restored, next, last);
    List<StoredEvent> rows = rows(live, next, last);
    for (int i = 0; i < copies.size() && i < rows.size(); i++) {
      pipelines.addAll(JSON.readValue(rows.get(i).pipelines(), NAMES));
      if (!areSame(copies.get(i), rows.get(i))) {
        return "the restored row with seq " + (next + i) + " is not the live one";
      }
    }
    return copies.size() == rows.size()
        ? null
        : "from seq "
            + next
            + " on, the restored rows are "
            + copies.size()
            + ", the live ones "
            + rows.size();
  }

  private List<StoredEvent> rows(TenantDatabases databases, long from, long last)
      throws ViewException, InterruptedException {
    int limit = (int) Math.min(PAGE, last - from + 1);
    return databases.read(
        tenant,
        reader -> {
          List<StoredEvent> page = new ArrayList<>();
          reader.events(new EventFilter(from, limit, null, null, null), page::add);
          return page;
        });
  }

  private boolean areSame(StoredEvent a, StoredEvent b) {
    return a.seq() == b.seq()
        && a.part() == b.part()
        && a.receivedAt() == b.receivedAt()
        && a.key().equals(b.key())
        && a.position().equals(b.position())
        && a.pipelines().equals(b.pipelines())
        && a.sha256().equals(b.sha256())
        && a.durability().equals(b.durability())
        && (Arrays.equals(a.logData(), b.logData()) || isLeftOut(a) || isLeftOut(b));
  }

  /// Whether the content was left out of a snapshot, where the digest and the chain stand for it.
  private boolean isLeftOut(StoredEvent row) {
    return !row.hasContent() && tenant.equals(TenantName.CONTROL) && CursorKey.isOne(row.key());
  }

  private @Nullable String items(long lastSeq) throws ViewException, InterruptedException {
    for (String pipeline : pipelines) {
      long after = firstOfBoth(pipeline) - 1;
      while (true) {
        List<PipelineItem> copies = items(restored, pipeline, after, lastSeq);
        List<PipelineItem> rows = items(live, pipeline, after, lastSeq);
        long firstNow = firstOfBoth(pipeline);
        if (!copies.equals(rows) && firstNow - 1 > after) {
          // Old items have left the live mailbox meanwhile.
          after = firstNow - 1;
        } else if (!copies.equals(rows)) {
          return "the restored items of the pipeline '"
              + pipeline
              + "' after n = "
              + after
              + " are not the live ones";
        } else if (copies.isEmpty()) {
          break;
        } else {
          after = copies.getLast().n();
        }
      }
    }
    return null;
  }

  private long firstOfBoth(String pipeline) throws ViewException, InterruptedException {
    return Math.max(first(restored, pipeline), first(live, pipeline));
  }

  private long first(TenantDatabases databases, String pipeline)
      throws ViewException, InterruptedException {
    return databases.readMailbox(tenant, mailbox -> mailbox.firstItem(pipeline));
  }

  private List<PipelineItem> items(
      TenantDatabases databases, String pipeline, long after, long lastSeq)
      throws ViewException, InterruptedException {
    return databases.readMailbox(
        tenant,
        mailbox -> {
          List<PipelineItem> page = new ArrayList<>();
          mailbox.items(pipeline, after, PAGE, item -> item.seq() <= lastSeq && page.add(item));
          return page;
        });
  }
}
