package com.datanadhi.sdk.internal.echopost;

import java.util.Locale;
import java.util.Optional;

/**
 * A system that there is an EchoPost for, by the names that downloads have.
 *
 * @param os {@code darwin} or {@code linux}
 * @param arch {@code amd64} or {@code arm64}
 */
record Platform(String os, String arch) {
  /** Empty where there is none. */
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

  /** Bytes that a UNIX socket's path may have, without its closing zero ({@code sun_path}). */
  int longestSocketPath() {
    return os.equals("darwin") ? 103 : 107;
  }
}
