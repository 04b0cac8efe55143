package com.datanadhi.hub.intake;

import com.datanadhi.hub.apply.ApplyListener;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Tenants' databases in maps, and the rules of applying in their plainest form.
final class MemoryView implements View {
  private final Map<String, Tenant> tenants = new HashMap<>();
  private boolean broken;
  private int reads;
  private long next;

  /// From now on no database can be read, or all can be.
  synchronized void broken(boolean now) {
    broken = now;
  }

  synchronized int reads() {
    return reads;
  }

  /// Everything before this offset is applied.
  synchronized long appliedThrough() {
    return next;
  }

  /// Applies log records of `log` to `end`, and tells the listener.
  void apply(MemoryLog log, long end, ApplyListener listener) {
    Map<String, List<String>> keys = new LinkedHashMap<>();
    long offset = -1;
    synchronized (this) {
      long stop = Math.min(end, log.stableEnd(Intake.STREAM));
      for (LogEntry entry :
          log.read(Intake.STREAM, next, (int) Math.max(0, stop - next), Long.MAX_VALUE)) {
        next = entry.offset() + 1;
        EventBody body;
        try {
          body = EventCodec.decode(entry.payload());
        } catch (EventCodec.InvalidBodyException impossible) {
          throw new AssertionError(impossible);
        }
        for (Transaction transaction : body.transactions()) {
          Tenant tenant = tenants.computeIfAbsent(transaction.tenant(), Tenant::new);
          if (entry.offset() > tenant.appliedOffset) {
            tenant.apply(entry, body, transaction);
            keys.computeIfAbsent(transaction.tenant(), _ -> new ArrayList<>())
                .add(transaction.key());
          }
        }
      }
      for (String name : keys.keySet()) {
        tenant(name).appliedOffset = next - 1;
        offset = next - 1;
      }
    }
    for (Map.Entry<String, List<String>> its : keys.entrySet()) {
      listener.applied(its.getKey(), Intake.STREAM, offset, its.getValue(), 0);
    }
  }

  /// Keys in the order in which they were stored.
  synchronized List<String> stored(String tenant) {
    return tenants.containsKey(tenant) ? List.copyOf(tenant(tenant).order) : List.of();
  }

  synchronized int duplicates(String tenant) {
    return tenants.containsKey(tenant) ? tenant(tenant).duplicates : 0;
  }

  synchronized List<String> conflicts(String tenant) {
    return tenants.containsKey(tenant) ? List.copyOf(tenant(tenant).conflictOrder) : List.of();
  }

  @Override
  public synchronized boolean exists(String tenant) {
    return broken || tenants.containsKey(tenant);
  }

  @Override
  public <T> T read(String tenant, TenantDatabases.Reading<T> work)
      throws ViewException, InterruptedException {
    synchronized (this) {
      reads++;
      if (broken) {
        throw new ViewException(ViewException.Kind.DAMAGED, "broken by the test", null);
      }
      return work.run(tenant(tenant).reader());
    }
  }

  private Tenant tenant(String name) {
    Tenant tenant = tenants.get(name);
    if (tenant == null) {
      throw new AssertionError("no tenant " + name);
    }
    return tenant;
  }

  /// Has the methods of [TenantReader] that intake calls.
  private static final class Tenant {
    private final String name;
    private final Map<String, AppliedTransaction> applied = new HashMap<>();
    private final Map<String, TreeSet<Long>> numbers = new HashMap<>();
    private final Set<String> conflicts = new HashSet<>();
    private final List<String> conflictOrder = new ArrayList<>();
    private final List<String> order = new ArrayList<>();
    private long appliedOffset = -1;
    private long lastReceivedAt;
    private long keysForgottenBefore;
    private int duplicates;

    Tenant(String name) {
      this.name = name;
    }

    TenantReader reader() {
      return (TenantReader)
          Proxy.newProxyInstance(
              TenantReader.class.getClassLoader(),
              new Class<?>[] {TenantReader.class},
              (_, method, arguments) ->
                  switch (method.getName()) {
                    case "state" -> state();
                    case "applied" -> applied(keys(arguments[0]));
                    case "hasConflict" ->
                        hasConflict((String) arguments[0], (Content) arguments[1]);
                    case "intervals" -> intervals((String) arguments[0]);
                    default -> throw new UnsupportedOperationException(method.getName());
                  });
    }

    private static List<String> keys(Object argument) {
      return ((Collection<?>) argument).stream().map(String.class::cast).toList();
    }

    void apply(LogEntry entry, EventBody body, Transaction transaction) {
      long received = Math.max(entry.time(), lastReceivedAt);
      keysForgottenBefore = Math.max(keysForgottenBefore, received - body.keyHorizonMillis());
      String key = transaction.key();
      SourceKey source = SourceKey.parse(key);
      AppliedTransaction row = known(key);
      if (entry.type() == EventBody.CONFLICT
          || (row != null && !row.content().equals(transaction.content()))) {
        conflicts.add(key + transaction.content());
        conflictOrder.add(key);
      } else if (row != null
          || (source != null
              && numbers
                  .getOrDefault(source.source(), new TreeSet<>())
                  .contains(source.number()))) {
        duplicates++;
      } else {
        lastReceivedAt = received;
        order.add(key);
        applied.put(
            key,
            new AppliedTransaction(
                key,
                transaction.content(),
                order.size(),
                transaction.records().size(),
                received,
                LogEntry.position(entry.epoch(), Intake.STREAM, entry.offset()),
                body.durability()));
        if (source != null) {
          numbers.computeIfAbsent(source.source(), _ -> new TreeSet<>()).add(source.number());
        }
      }
    }

    private @Nullable AppliedTransaction known(String key) {
      AppliedTransaction row = applied.get(key);
      return row == null || row.receivedAt() < keysForgottenBefore ? null : row;
    }

    ViewState state() {
      return new ViewState(
          name,
          null,
          Intake.STREAM,
          appliedOffset,
          order.size(),
          "",
          1,
          "",
          lastReceivedAt,
          keysForgottenBefore,
          0,
          0,
          0,
          0);
    }

    Map<String, AppliedTransaction> applied(Collection<String> keys) {
      Map<String, AppliedTransaction> found = new HashMap<>();
      for (String key : keys) {
        AppliedTransaction row = known(key);
        if (row != null) {
          found.put(key, row);
        }
      }
      return found;
    }

    boolean hasConflict(String key, Content content) {
      return conflicts.contains(key + content);
    }

    List<Interval> intervals(String source) {
      List<Interval> intervals = new ArrayList<>();
      for (long n : numbers.getOrDefault(source, new TreeSet<>())) {
        if (!intervals.isEmpty() && intervals.getLast().last() == n - 1) {
          intervals.set(intervals.size() - 1, new Interval(intervals.getLast().first(), n));
        } else {
          intervals.add(new Interval(n, n));
        }
      }
      return intervals;
    }
  }
}
