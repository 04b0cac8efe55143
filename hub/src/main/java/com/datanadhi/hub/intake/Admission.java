package com.datanadhi.hub.intake;

import com.datanadhi.hub.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Bounds the bytes of requests and records in memory. An amount that does not fit is refused at
/// once; no call waits. While others were refused for lack of room, one tenant cannot hold more
/// than half. Thread-safe.
public final class Admission {
  /// What the name of a pipeline counts beyond its text. It takes about 50 bytes; with this, the
  /// record with the most names that is allowed still fits the default buffer.
  public static final int NAME_BYTES = 32;

  /// For how long a refusal counts: longer than a sender's first back-off.
  private static final long LATELY_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final long bound;
  private final Clock clock;
  private final Map<String, Long> held = new HashMap<>();
  private long total;
  private long refusals;

  // The last refusal of a tenant that held no more than half, and the last one of another such
  // tenant: so there is always one by somebody else, if there was one.
  private @Nullable Refusal last;
  private @Nullable Refusal lastOfAnother;

  /// @param bytes the bound
  public Admission(long bytes) {
    this(bytes, Clock.system());
  }

  Admission(long bytes, Clock clock) {
    if (bytes < 1) {
      throw new IllegalArgumentException("the bound is " + bytes + " bytes");
    }
    this.bound = bytes;
    this.clock = clock;
  }

  /// A bound of so many bytes.
  ///
  /// @return null if it does not fit
  public @Nullable Lease tryAcquire(String tenant, long bytes) {
    return take(tenant, bytes) ? new Held(tenant, bytes) : null;
  }

  /// Whether so many bytes fit while nobody else holds any. Otherwise they never do.
  public boolean couldHold(long bytes) {
    return bytes <= bound;
  }

  /// The bytes that are held now.
  public synchronized long heldBytes() {
    return total;
  }

  /// How often an amount was refused, since the process started.
  public synchronized long refusals() {
    return refusals;
  }

  private synchronized boolean take(String tenant, long bytes) {
    boolean fits = fits(tenant, bytes);
    if (!fits) {
      refusals++;
    }
    return fits;
  }

  private boolean fits(String tenant, long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("an amount of " + bytes + " bytes");
    }
    long before = held.getOrDefault(tenant, 0L);
    boolean moreThanHalf = bytes > bound / 2 - before;
    if (bytes > bound - total) {
      if (!moreThanHalf) {
        refused(tenant);
      }
      return false;
    }
    if (moreThanHalf && anotherWasRefusedLately(tenant)) {
      return false;
    }
    total += bytes;
    if (before + bytes > 0) {
      held.put(tenant, before + bytes);
    }
    return true;
  }

  private synchronized void giveBack(String tenant, long bytes) {
    total -= bytes;
    held.computeIfPresent(tenant, (_, before) -> before == bytes ? null : before - bytes);
  }

  private void refused(String tenant) {
    if (last != null && !last.tenant.equals(tenant)) {
      lastOfAnother = last;
    }
    last = new Refusal(tenant, clock.nanoTime());
  }

  private boolean anotherWasRefusedLately(String tenant) {
    Refusal refusal = last != null && last.tenant.equals(tenant) ? lastOfAnother : last;
    return refusal != null && clock.nanoTime() - refusal.nanos < LATELY_NANOS;
  }

  /// Bytes that a request holds. Not thread-safe.
  public interface Lease extends AutoCloseable {
    /// A bound of so many bytes.
    ///
    /// @return whether that many more fit
    boolean tryGrow(long bytes);

    /// Whether that many more fit while nobody else holds any. Otherwise they never do.
    boolean couldGrow(long bytes);

    /// Gives all back.
    @Override
    void close();
  }

  private record Refusal(String tenant, long nanos) {}

  private final class Held implements Lease {
    private final String tenant;
    private long bytes;

    Held(String tenant, long bytes) {
      this.tenant = tenant;
      this.bytes = bytes;
    }

    @Override
    public boolean tryGrow(long more) {
      if (!take(tenant, more)) {
        return false;
      }
      bytes += more;
      return true;
    }

    @Override
    public boolean couldGrow(long more) {
      return couldHold(bytes + more);
    }

    @Override
    public void close() {
      if (bytes > 0) {
        giveBack(tenant, bytes);
        bytes = 0;
      }
    }
  }
}
