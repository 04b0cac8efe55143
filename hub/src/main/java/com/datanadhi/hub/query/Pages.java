package com.datanadhi.hub.query;

import com.datanadhi.hub.view.ViewException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Bounds the memory of pages that were read and not yet sent: else a few hundred slow readers fill
/// the heap. A page of up to 1 MiB has one share; one with a large record has as many as its lines
/// can need while they are made. Thread-safe.
public final class Pages {
  private static final int SHARES_PER_MIB = 4;

  private final Shares shares;

  /// @param shares in all, of about 2 MiB
  public Pages(int shares) {
    this.shares = new Shares(shares);
  }

  /// Reads a page.
  @FunctionalInterface
  public interface Reading<P> {
    /// Does it.
    P read() throws ViewException, InvalidQueryException, InterruptedException;
  }

  /// How many bytes the records of a page have.
  @FunctionalInterface
  public interface Size<P> {
    /// Counts them.
    long of(P page);
  }

  /// A page with its shares of the memory. Close it when it is sent.
  ///
  /// @param page what was read
  public record Held<P>(P page, Runnable release) implements AutoCloseable {
    @Override
    public void close() {
      release.run();
    }
  }

  /// Reads a page when there is memory for it.
  ///
  /// @param patience how long to wait for that
  /// @return null if there was none in time
  public <P> @Nullable Held<P> read(
      String tenant, Duration patience, Size<P> size, Reading<P> reading)
      throws ViewException, InvalidQueryException, InterruptedException {
    int expected = 1;
    while (shares.acquire(tenant, expected, patience)) {
      int taken = expected;
      boolean kept = false;
      try {
        P page = reading.read();
        int needed = sharesOf(size.of(page));
        if (needed <= taken || shares.acquire(tenant, needed - taken, Duration.ZERO)) {
          int all = Math.max(needed, taken);
          kept = true;
          return new Held<>(page, () -> shares.release(tenant, all));
        }
        // Whoever waits for more must not hold what others wait for.
        expected = needed;
      } finally {
        if (!kept) {
          shares.release(tenant, taken);
        }
      }
    }
    return null;
  }

  private int sharesOf(long bytes) {
    long mebibytes = bytes >> 20;
    return (int) Math.min(shares.all(), mebibytes <= 1 ? 1 : mebibytes * SHARES_PER_MIB);
  }
}
