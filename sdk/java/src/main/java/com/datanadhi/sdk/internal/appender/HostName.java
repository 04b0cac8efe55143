package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The name of this machine or container: on Linux from files, on Windows from the environment, and
 * elsewhere from the system's name service, which can take seconds and is asked on a thread of its
 * own. No process is started. Thread-safe.
 */
final class HostName {
  /** A container has a name of its own in both; the kernel's is hidden in some. */
  private static final List<Path> FILES =
      List.of(Path.of("/proc/sys/kernel/hostname"), Path.of("/etc/hostname"));

  /** What the kernel says if it has none. */
  private static final String NONE = "(none)";

  private static final Duration RETRY = Duration.ofSeconds(30);

  private static final HostName OF_MACHINE =
      new HostName(
          FILES, System.getenv(), () -> InetAddress.getLocalHost().getHostName(), Clock.system());

  private final NameService service;
  private final Clock clock;
  private volatile @Nullable String name;
  private boolean isAsked;
  private long askAt;

  /** Finds the name, which can take long. */
  interface NameService {
    String name() throws UnknownHostException;
  }

  /**
   * Reads the files, of which the first with a name counts, and the environment.
   *
   * @param service is asked if neither has a name
   */
  HostName(List<Path> files, Map<String, String> environment, NameService service, Clock clock) {
    this.service = service;
    this.clock = clock;
    this.askAt = clock.nanos();
    this.name =
        Stream.concat(
                files.stream().map(HostName::read),
                Stream.of("COMPUTERNAME", "HOSTNAME")
                    .map(variable -> environment.getOrDefault(variable, "")))
            .filter(found -> !found.isBlank() && !found.equals(NONE))
            .findFirst()
            .orElse(null);
  }

  /** This machine's name, or null if it is not known, or not yet. */
  static @Nullable String known() {
    return OF_MACHINE.name();
  }

  private static String read(Path file) {
    try {
      return Files.isReadable(file) ? Files.readString(file).strip() : "";
    } catch (IOException unreadable) {
      // As on systems without this file.
      return "";
    }
  }

  /** The name, or null if it is not known, or not yet: the first call asks for it. */
  @Nullable String name() {
    String found = name;
    if (found == null) {
      ask();
    }
    return found;
  }

  /** Again after a while, if no thread could be made. */
  private synchronized void ask() {
    if (!isAsked && clock.nanos() - askAt >= 0) {
      askAt = clock.nanos() + RETRY.toNanos();
      isAsked = SdkThread.start(SdkThread.named("datanadhi-host", this::lookUp));
    }
  }

  private void lookUp() {
    try {
      name = service.name();
    } catch (UnknownHostException unresolvable) {
      // The JDK knows the name, but has no method for it without its address.
      String message = unresolvable.getMessage();
      name = message == null ? null : message.split(":", 2)[0];
    }
  }
}
