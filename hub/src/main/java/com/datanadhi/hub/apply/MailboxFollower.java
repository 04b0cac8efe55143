package com.datanadhi.hub.apply;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.MailboxWriter;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Brings each tenant's mailbox.db up to its canonical.db: the items of the pipelines, by seq, in
/// transactions of their own. What a crash left behind is caught up when the tenant's log records
/// are read again, which is before they count as durable. Thread-safe.
public final class MailboxFollower {
  private static final int BATCH = 5_000;
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final TenantDatabases databases;
  private final MailboxCursors cursors;

  /// One tenant at a time: an item would be added twice otherwise.
  private final ReentrantLock following = new ReentrantLock();

  /// The first seq whose items are still there, of tenants whose events leave. Guarded by
  /// `following`.
  private final Map<String, Long> firstSeqs = new HashMap<>();

  /// Tenants whose cursors are there. Guarded by `following`.
  private final Set<String> withCursors = new HashSet<>();

  private final ItemWatchers watchers = new ItemWatchers();
  private final LoopSignal signal = new LoopSignal();
  private final ReentrantLock lock = new ReentrantLock();

  /// Guarded by `lock`.
  private final Set<String> behind = new LinkedHashSet<>();

  /// @param cursors which a mailbox that is new or was rebuilt gets back
  public MailboxFollower(TenantDatabases databases, MailboxCursors cursors) {
    this.databases = databases;
    this.cursors = cursors;
  }

  /// Says that canonical.db of the tenant has changed.
  void behind(String tenant) {
    boolean isNew;
    lock.lock();
    try {
      isNew = behind.add(tenant);
    } finally {
      lock.unlock();
    }
    if (isNew) {
      signal.wake();
    }
  }

  /// Follows until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      if (!turn()) {
        signal.pause(PAUSE);
      }
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Brings one tenant up.
  ///
  /// @return whether one was behind
  public boolean turn() throws InterruptedException {
    String tenant = takeBehind();
    if (tenant == null) {
      return false;
    }
    try {
      follow(tenant);
    } catch (ViewException failed) {
      // Applying meets the same database and parks the tenant; the next checkpoint tries again.
      Events.warning("mailbox_behind", "tenant", tenant, "reason", failed.getMessage());
    }
    return true;
  }

  private @Nullable String takeBehind() {
    lock.lock();
    try {
      return behind.isEmpty() ? null : takeFirst();
    } finally {
      lock.unlock();
    }
  }

  private String takeFirst() {
    String tenant = behind.iterator().next();
    behind.remove(tenant);
    return tenant;
  }

  /// Says that the tenant's databases are new ones.
  void rebuilt(String tenant) throws InterruptedException {
    following.lockInterruptibly();
    try {
      withCursors.remove(tenant);
      firstSeqs.remove(tenant);
    } finally {
      following.unlock();
    }
  }

  ItemWatchers watchers() {
    return watchers;
  }

  /// The items that an event becomes.
  record Item(long seq, List<String> pipelines) {}

  /// Brings the tenant's mailbox up to its canonical.db.
  public void follow(String tenant) throws ViewException, InterruptedException {
    following.lockInterruptibly();
    try {
      while (followBatch(tenant)) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      if (!withCursors.contains(tenant)) {
        cursors.catchUp(tenant);
        withCursors.add(tenant);
      }
    } finally {
      following.unlock();
    }
  }

  /// Adds the items of a tenant's next events to its mailbox, which [#follow] would find in
  /// canonical.db. Adds none if the mailbox does not end right before them.
  void add(String tenant, List<Item> items) throws ViewException, InterruptedException {
    following.lockInterruptibly();
    try {
      boolean _ =
          databases.writeMailbox(
              tenant,
              writer -> {
                boolean fits = writer.appliedSeq() == items.getFirst().seq() - 1;
                if (fits) {
                  add(writer, items);
                  writer.setAppliedSeq(items.getLast().seq());
                }
                return fits;
              });
    } finally {
      following.unlock();
    }
  }

  private static void add(MailboxWriter writer, List<Item> items) {
    for (Item item : items) {
      writer.addItems(item.seq(), item.pipelines());
    }
  }

  private boolean followBatch(String tenant) throws ViewException, InterruptedException {
    long applied;
    try {
      applied = databases.readMailbox(tenant, MailboxReader::appliedSeq);
    } catch (ViewException failed) {
      setAsideIfDamaged(tenant, failed);
      return true;
    }
    List<Item> items = new ArrayList<>();
    Map<String, Long> left = new HashMap<>();
    ViewState state =
        databases.read(
            tenant,
            reader -> {
              ViewState now = reader.state();
              if (applied < now.firstSeq() - 1) {
                left.putAll(reader.itemsLeft());
              }
              if (now.seq() > applied) {
                PipelineNames names = new PipelineNames();
                reader.pipelines(
                    applied + 1,
                    BATCH,
                    event -> items.add(new Item(event.seq(), names.of(event.pipelines()))));
              }
              return now;
            });
    boolean itemsLeave = state.firstSeq() > firstSeqs.getOrDefault(tenant, 1L);
    if (state.seq() <= applied && !itemsLeave) {
      return false;
    }
    // Events can have left before their items were made: only their numbers are passed over.
    long through =
        items.isEmpty()
            ? Math.max(applied, Math.min(state.seq(), state.firstSeq() - 1))
            : items.getLast().seq();
    try {
      databases.writeMailbox(
          tenant,
          writer -> {
            writer.skipItems(left);
            add(writer, items);
            writer.setAppliedSeq(through);
            if (itemsLeave) {
              writer.deleteItemsBefore(state.firstSeq());
            }
            return through;
          });
    } catch (ViewException failed) {
      setAsideIfDamaged(tenant, failed);
      return true;
    }
    if (!watchers.isEmpty()) {
      Set<String> pipelines = new HashSet<>();
      items.forEach(item -> pipelines.addAll(item.pipelines()));
      watchers.arrived(tenant, pipelines);
    }
    if (itemsLeave) {
      firstSeqs.put(tenant, state.firstSeq());
    }
    return through < state.seq() && through > applied;
  }

  /// A mailbox is made again from the events and the cursors.
  private void setAsideIfDamaged(String tenant, ViewException failed)
      throws ViewException, InterruptedException {
    if (failed.kind() != ViewException.Kind.DAMAGED) {
      throw failed;
    }
    Events.warning(
        "mailbox_set_aside",
        "tenant",
        tenant,
        "reason",
        failed.getMessage(),
        "file",
        databases.setAsideMailbox(tenant));
    firstSeqs.remove(tenant);
    cursors.catchUp(tenant);
  }
}
