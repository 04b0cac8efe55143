package com.datanadhi.hub;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.HubRun;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.runtime.UnpackedRuntime;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.TimeZone;
import org.jspecify.annotations.Nullable;

/// Ends the process with the status of the command.
final class Main {
  private Main() {}

  public static void main(String[] args) throws IOException {
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    // The launcher names the file that protects the unpacked runtime until this process holds it.
    String mark = System.getProperty("echopost.start_mark");
    @Nullable UnpackedRuntime runtime = mark == null ? null : UnpackedRuntime.hold(Path.of(mark));
    Runnable removeUnused =
        () -> {
          try {
            if (runtime != null) {
              runtime.removeUnused(Clock.system().wallMillis());
            }
          } catch (IOException failed) {
            Events.warning("old_runtimes_not_removed", "reason", failed.toString());
          }
        };
    int status =
        Cli.run(
            new HubRun(() -> Thread.ofPlatform().daemon().name("runtimes").start(removeUnused)),
            OfflineDirectory::open,
            args);
    if (runtime != null) {
      runtime.close();
    }
    System.exit(status);
  }
}
