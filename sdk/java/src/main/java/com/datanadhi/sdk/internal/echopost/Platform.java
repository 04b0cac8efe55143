package com.datanadhi.sdk.internal.echopost;

import java.util.Locale;
import java.util.Optional;

/**
 * An operating system and processor that EchoPost runs on, by their names in download URLs.
 *
 * @param os {@code darwin} or {@code linux}
 * @param arch {@code amd64} or {@code arm64}
 */
record Platform(String os, String arch) {
  /** From the JVM's properties {@code os.name} and {@code os.arch}; empty if not supported. */
  static Optional<Platform> of(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String os = name.equals("linux") ? "linux" : name.startsWith("mac") ? "darwin" : "";
    String arch =
        switch (osArch.toLowerCase(Locale.ROOT)) {
          case "x86_64", "amd64" -> "amd64";
          case "arm64", "aarch64" -> "arm64";
          default -> "";
        };
    return os.isEmpty() || arch.isEmpty() ? Optional.empty() : Optional.of(new Platform(os, arch));
  }

  @Override
  public String toString() {
    return os + "/" + arch;
  }

  /** The most bytes in the path of a UNIX socket: {@code sun_path} without the final zero. */
  int maxSocketPathBytes() {
    return os.equals("darwin") ? 103 : 107;
  }
}
