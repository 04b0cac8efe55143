package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A process that applies the log of a directory until it is killed, or ends when all is applied.
final class ApplyChild {
  private ApplyChild() {}

  static final SegmentSettings SETTINGS =
      new SegmentSettings(256 * 1024, 64 * 1024, Duration.ofMinutes(10), 64L << 20);

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    Clock clock = Clock.system();
    try (SegmentLog log = SegmentLog.open(directory.resolve("log"), SETTINGS, clock);
        TenantDatabases databases = new TenantDatabases(directory.resolve("tenants"), 32)) {
      MailboxFollower mailboxes = new MailboxFollower(databases, tenant -> {});
      AppliedThroughFile file = new AppliedThroughFile(directory.resolve("applied-through"));
      ApplyLoop loop =
          new ApplyLoop(
              log,
              Hub.STREAM,
              databases,
              new Decided(),
              (tenant, stream, offset, keys, bytes) -> {},
              mailboxes,
              file,
              directory.resolve("quarantine"),
              clock);
      Recovery recovery = new Recovery(loop, databases, TenantBase.NONE);
      SegmentRetention retention =
          new SegmentRetention(
              log, loop, () -> -1, Duration.ZERO, Long.MAX_VALUE, () -> false, clock);
      Checkpointer checkpointer =
          new Checkpointer(loop, log, Hub.STREAM, databases, mailboxes, file, retention);
      Thread applying = start(loop::run);
      Thread recovering = start(recovery::run);
      Thread following = start(mailboxes::run);
      while (loop.next() < log.stableEnd(Hub.STREAM) || loop.stats().parkedTenants() > 0) {
        checkpointer.checkpoint();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      }
      loop.stop();
      recovery.stop();
      mailboxes.stop();
      applying.join();
      recovering.join();
      following.join();
      checkpointer.checkpoint();
    }
  }

  private interface Body {
    void run() throws InterruptedException;
  }

  private static Thread start(Body body) {
    return Thread.ofPlatform()
        .start(() -> {
          try {
            body.run();
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
          }
        });
  }
}
