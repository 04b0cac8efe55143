package com.datanadhi.hub.tls;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where certificate and key are, as PEM. Both are read again when they change.
///
/// @param certificate the server's certificate, followed by those of its issuers
/// @param key its private key, not encrypted: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC)
public record TlsSettings(Path certificate, Path key) {
  /// The settings of these two files.
  ///
  /// @return null without both: plain text
  /// @throws IllegalArgumentException one of them is missing
  public static @Nullable TlsSettings of(@Nullable Path certificate, @Nullable Path key) {
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException("a certificate and a key are needed, not one of them");
    }
    return certificate == null || key == null ? null : new TlsSettings(certificate, key);
  }
}
