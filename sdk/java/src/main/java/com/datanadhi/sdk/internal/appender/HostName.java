package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.internal.thread.SdkThread;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The name of this machine or container. Thread-safe. */
final class HostName {
  private static final Path OF_LINUX = Path.of("/proc/sys/kernel/hostname");

  private static volatile @Nullable String known = withoutLookup();

  static {
    if (known == null) {
      // The name service can take seconds to answer.
      SdkThread.named("datanadhi-host", HostName::lookUp).start();
    }
  }

  private HostName() {}

  /** The name, or null if it is not known, or not yet. */
  static @Nullable String known() {
    return known;
  }

  private static @Nullable String withoutLookup() {
    return Stream.of(
            ofLinux(),
            System.getenv().getOrDefault("COMPUTERNAME", ""),
            System.getenv().getOrDefault("HOSTNAME", ""))
        .filter(name -> !name.isBlank())
        .findFirst()
        .orElse(null);
  }

  private static String ofLinux() {
    try {
      return Files.isReadable(OF_LINUX) ? Files.readString(OF_LINUX).strip() : "";
    } catch (IOException unreadable) {
      // As on systems without this file.
      return "";
    }
  }

  private static void lookUp() {
    try {
      known = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException unnamed) {
      // The records are without it.
    }
  }
}
