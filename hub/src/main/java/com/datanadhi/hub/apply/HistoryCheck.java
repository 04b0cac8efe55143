package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Computes a tenant's chain from its records, in pages between which applying goes on.
/// Thread-safe.
public final class HistoryCheck {
  private static final int PAGE = 2_000;

  private final TenantDatabases databases;

  public HistoryCheck(TenantDatabases databases) {
    this.databases = databases;
  }

  /// What was found.
  ///
  /// @param records that were read
  /// @param faults one line each
  public record Result(long records, List<String> faults) {
    public Result {
      faults = List.copyOf(faults);
    }
  }

  /// The tenant's chain at a seq.
  ///
  /// @return null if the seq is behind its last record, or before those that are still there
  public @Nullable String chainAt(String tenant, long seq)
      throws ViewException, InterruptedException {
    ViewState state = databases.read(tenant, reader -> reader.state());
    if (seq > state.seq() || seq < state.firstSeq() - 1) {
      return null;
    }
    if (seq == state.seq()) {
      return state.chain();
    }
    Chain chain = Chain.from(state.chainBeforeFirst());
    PipelineNames names = new PipelineNames();
    long next = state.firstSeq();
    while (next <= seq) {
      List<StoredEvent> page = page(tenant, next, seq);
      if (page.isEmpty() || page.getFirst().seq() != next) {
        // Records have left meanwhile.
        return null;
      }
      page.forEach(event -> chain.add(event, names.of(event.pipelines())));
      next = page.getLast().seq() + 1;
    }
    return chain.hex();
  }

  /// Compares each record with its digest, and all of them with the chain in the database's state.
  public Result check(String tenant) throws ViewException, InterruptedException {
    ViewState state = databases.read(tenant, reader -> reader.state());
    HistoryWalk walk = new HistoryWalk(state);
    while (walk.next() <= state.seq()) {
      List<StoredEvent> page = page(tenant, walk.next(), state.seq());
      if (page.isEmpty()) {
        return new Result(walk.records(), walk.faults());
      }
      for (StoredEvent event : page) {
        if (event.seq() != walk.next()
            && databases.read(tenant, reader -> reader.state()).firstSeq() > walk.next()) {
          // Records have left meanwhile: from here on they can be compared again.
          return check(tenant);
        }
        walk.add(event);
      }
    }
    return new Result(walk.records(), walk.faults());
  }

  private List<StoredEvent> page(String tenant, long from, long to)
      throws ViewException, InterruptedException {
    int limit = (int) Math.min(PAGE, to - from + 1);
    return databases.read(
        tenant,
        reader -> {
          List<StoredEvent> page = new ArrayList<>();
          reader.events(new EventFilter(from, limit, null, null, null), page::add);
          return page;
        });
  }
}
