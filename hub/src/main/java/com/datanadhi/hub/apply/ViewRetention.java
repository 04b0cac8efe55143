package com.datanadhi.hub.apply;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantWriter;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Removes what has become old from the tenants' databases, in small steps between which applying
/// goes on: rows of `events` at the retention when they are archived, whole transactions only, and
/// rows of `applied_events` that are forgotten. Neither changes what applying decides.
///
/// One thread calls [#run] or [#turn].
public final class ViewRetention {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};

  /// More than the largest transaction has, so that each step ends one.
  private static final int EVENTS = 2_000;

  private static final int KEYS = 1_000;
  private static final Duration PAUSE = Duration.ofMinutes(1);

  private final TenantDatabases databases;
  private final MailboxFollower mailboxes;
  private final @Nullable Duration retention;
  private final ToLongFunction<String> archivedSeq;
  private final BooleanSupplier isPaused;
  private final Predicate<String> isParked;
  private final Clock clock;
  private final LoopSignal signal = new LoopSignal();

  /// @param retention the age at which events leave; null keeps all
  /// @param archivedSeq the last seq of a tenant that may leave, since it is archived
  /// @param isPaused whether nothing is to be removed now, such as after a step of the clock
  /// @param isParked whether a tenant is parked
  public ViewRetention(
      TenantDatabases databases,
      MailboxFollower mailboxes,
      @Nullable Duration retention,
      ToLongFunction<String> archivedSeq,
      BooleanSupplier isPaused,
      Predicate<String> isParked,
      Clock clock) {
    this.databases = databases;
    this.mailboxes = mailboxes;
    this.retention = retention;
    this.archivedSeq = archivedSeq;
    this.isPaused = isPaused;
    this.isParked = isParked;
    this.clock = clock;
  }

  /// Works until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      turn();
      signal.pause(PAUSE);
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Removes what is old now, of all tenants.
  public void turn() throws InterruptedException {
    List<String> tenants;
    try {
      tenants = databases.tenants();
    } catch (ViewException failed) {
      Events.warning("view_retention_failed", "reason", failed.getMessage());
      return;
    }
    for (String tenant : tenants) {
      if (signal.isStopped()) {
        return;
      }
      if (isParked.test(tenant) || !databases.exists(tenant)) {
        continue;
      }
      try {
        boolean isMore = true;
        while (isMore
            && !signal.isStopped()
            && !isPaused.getAsBoolean()
            && !isParked.test(tenant)) {
          isMore = step(tenant);
        }
      } catch (ViewException failed) {
        Events.warning("view_retention_failed", "tenant", tenant, "reason", failed.getMessage());
      }
    }
  }

  private boolean step(String tenant) throws ViewException, InterruptedException {
    boolean isMore = databases.write(tenant, writer -> writer.deleteForgottenKeys(KEYS)) == KEYS;
    if (retention != null && clock.wallMillis() > retention.toMillis()) {
      long before = clock.wallMillis() - retention.toMillis();
      long archived = archivedSeq.applyAsLong(tenant);
      boolean isOld =
          databases.read(
              tenant,
              reader -> {
                boolean[] old = {false};
                reader.events(
                    new EventFilter(reader.state().firstSeq(), 1, null, null, null),
                    event -> old[0] = event.receivedAt() < before && event.seq() <= archived);
                return old[0];
              });
      if (isOld) {
        mailboxes.follow(tenant);
        isMore |= databases.write(tenant, writer -> deleteBefore(writer, before, archived));
        mailboxes.follow(tenant);
      }
    }
    return isMore;
  }

  /// Deletes the oldest transactions that were received before a moment and are archived.
  ///
  /// @return whether there can be more
  private static boolean deleteBefore(TenantWriter writer, long before, long archived) {
    ViewState state = writer.state();
    Chain chain = Chain.from(state.chainBeforeFirst());
    Cut cut = new Cut(state.firstSeq(), state.chainBeforeFirst());
    writer.events(
        new EventFilter(state.firstSeq(), EVENTS, null, null, null),
        event -> {
          if (event.part() == 1) {
            cut.at(event.seq(), chain.hex());
            if (event.receivedAt() >= before || event.seq() > archived) {
              return false;
            }
          }
          List<String> pipelines = JSON.readValue(event.pipelines(), NAMES);
          cut.add(pipelines);
          chain.add(event, pipelines);
          if (event.seq() == state.seq()) {
            cut.at(event.seq() + 1, chain.hex());
          }
          return true;
        });
    if (cut.seq > state.firstSeq()) {
      writer.deleteEventsBefore(cut.seq, cut.chain, cut.items);
    }
    return cut.rows == EVENTS && cut.seq > state.firstSeq();
  }

  /// Where the deleted events end, and what is before it.
  private static final class Cut {
    private long seq;
    private String chain;
    private int rows;
    private final Map<String, Long> items = new HashMap<>();
    private final Map<String, Long> behind = new HashMap<>();

    private Cut(long seq, String chain) {
      this.seq = seq;
      this.chain = chain;
    }

    private void add(List<String> pipelines) {
      rows++;
      Set.copyOf(pipelines).forEach(pipeline -> behind.merge(pipeline, 1L, Long::sum));
    }

    private void at(long newSeq, String newChain) {
      seq = newSeq;
      chain = newChain;
      behind.forEach((pipeline, n) -> items.merge(pipeline, n, Long::sum));
      behind.clear();
    }
  }
}
