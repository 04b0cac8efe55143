package com.datanadhi.hub.drill;

import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.restore.Cut;
import com.datanadhi.hub.restore.RestoreException;
import com.datanadhi.hub.restore.Restorer;
import com.datanadhi.hub.restore.Scratch;
import com.datanadhi.hub.restore.Target;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;

/// Restores a tenant into a scratch directory, the newest snapshot and the archive behind it, and
/// compares it with the live databases: every row, every item of its pipelines, and the chain, as
/// far as both have them. Thread-safe; one drill at a time.
public final class Drill {
  private static final int MAX_FILES = 12;

  private final Restorer restorer;
  private final TenantDatabases live;
  private final Path scratch;
  private final Clock clock;
  private final ReentrantLock one = new ReentrantLock();

  /// @param scratch a directory of its own, which is made and deleted
  public Drill(Restorer restorer, TenantDatabases live, Path scratch, Clock clock) {
    this.restorer = restorer;
    this.live = live;
    this.scratch = scratch;
    this.clock = clock;
  }

  /// Drills one tenant.
  ///
  /// @throws ObjectStoreException the store failed, which says nothing about what it has
  /// @throws ViewException the live databases cannot be read now
  /// @throws IOException the scratch directory cannot be used
  public DrillResult run(String tenant)
      throws ObjectStoreException, ViewException, IOException, InterruptedException {
    one.lockInterruptibly();
    try {
      Scratch.delete(scratch);
      return runAlone(tenant);
    } finally {
      try {
        Scratch.delete(scratch);
      } finally {
        one.unlock();
      }
    }
  }

  private DrillResult runAlone(String tenant)
      throws ObjectStoreException, ViewException, IOException, InterruptedException {
    long began = clock.nanoTime();
    Files.createDirectories(scratch);
    try (TenantDatabases restored =
        TenantDatabases.unfinished(scratch.resolve("tenants"), MAX_FILES)) {
      Cut cut = restorer.into(restored, tenant, new Target.End());
      String fault = new Comparison(tenant, restored, live).difference();
      return new DrillResult(
          tenant, cut.seq(), cut.bytes(), (clock.nanoTime() - began) / 1_000_000, fault);
    } catch (RestoreException fault) {
      return new DrillResult(
          tenant, 0, 0, (clock.nanoTime() - began) / 1_000_000, String.valueOf(fault.getMessage()));
    }
  }
}
