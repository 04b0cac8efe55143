package com.datanadhi.sdk.internal.queue;

import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The number of records that have no outcome yet, in groups: each flush ends a group, so that it
 * can wait for the records that were added before it and not for later ones. Thread-safe; {@link
 * #add} and {@link #settle} take no lock.
 */
public final class Outstanding {
  private static final Duration POLL = Duration.ofMillis(2);

  /** The groups that can have records, oldest first. New records go to the last one. */
  private final CopyOnWriteArrayList<Group> groups = new CopyOnWriteArrayList<>();

  private volatile Group current = new Group();

  /** Counts no records yet. */
  public Outstanding() {
    groups.add(current);
  }

  /** Counts the record as outstanding; it gets a group, once. */
  public void add(OutgoingRecord record) {
    while (true) {
      Group group = current;
      group.records.incrementAndGet();
      // A flush that ended this group meanwhile may have found it empty and forgotten it.
      if (group == current) {
        record.setGroup(group);
        return;
      }
      group.removeOne();
    }
  }

  /** The record has an outcome; returns false if {@link #clear} has removed it before. */
  public boolean settle(OutgoingRecord record) {
    return record.group().removeOne();
  }

  /** How many records are outstanding. */
  public long count() {
    return count(groups);
  }

  /** Removes all outstanding records; returns how many they were. */
  public long clear() {
    return groups.stream().mapToLong(group -> group.records.getAndSet(0)).sum();
  }

  /** The records that are outstanding now, without those that are added from now on. */
  public synchronized Earlier earlier() {
    Group ended = current;
    Group next = new Group();
    groups.add(next);
    current = next;
    groups.removeIf(group -> group != ended && group != next && group.records.get() == 0);
    return new Earlier(groups.stream().filter(group -> group != next).toList());
  }

  private static long count(List<Group> groups) {
    return groups.stream().mapToLong(group -> group.records.get()).sum();
  }

  /** The records that were outstanding at a time. */
  public static final class Earlier {
    private final List<Group> groups;

    private Earlier(List<Group> groups) {
      this.groups = groups;
    }

    /** Whether each of them has an outcome. */
    public boolean areSettled() {
      return count(groups) == 0;
    }

    /**
     * Waits until each of them has an outcome.
     *
     * @return false if some of them still have none after {@code timeout}
     */
    public boolean await(Duration timeout, Clock clock, Waiter waiter) throws InterruptedException {
      long end = clock.nanos() + timeout.toNanos();
      while (!areSettled()) {
        if (clock.nanos() - end >= 0) {
          return false;
        }
        waiter.sleep(POLL);
      }
      return true;
    }
  }

  /** The records between two flushes. */
  static final class Group {
    private final AtomicLong records = new AtomicLong();

    private boolean removeOne() {
      return records.getAndUpdate(count -> Math.max(0, count - 1)) > 0;
    }
  }
}
