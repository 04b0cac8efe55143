package com.datanadhi.hub.tls;

import java.nio.file.Path;

/// Where certificate and key are, as PEM. Both are read again when they change.
///
/// @param certificate the server's certificate, followed by those of its issuers
/// @param key its private key, not encrypted: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC)
public record TlsSettings(Path certificate, Path key) {}
