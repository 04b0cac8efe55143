package com.datanadhi.sdk.internal.echopost;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.zip.CRC32;

/**
 * The URL of a main server as agents name it, without user and password, so that two URLs of one
 * server are equal.
 *
 * @param url scheme and host in lower case, no default or empty port, no zeros before a port, no
 *     slash at the end
 */
record ServerName(String url) {
  /** From the URL of a configuration or of an agent. */
  static ServerName of(URI url) {
    String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
    // Not getHost: it is null for a name with an underscore.
    String host =
        String.valueOf(url.getRawAuthority())
            .replaceFirst("^.*@", "")
            .replaceFirst(":0*(\\d*)$", ":$1")
            .replaceFirst(scheme.equals("https") ? ":(443)?$" : ":(80)?$", "")
            .toLowerCase(Locale.ROOT);
    String path = url.getRawPath() == null ? "" : url.getRawPath().replaceFirst("/+$", "");
    return new ServerName(scheme + "://" + host + path);
  }

  /** The same for every process, and part of the name of a directory. */
  String id() {
    CRC32 crc = new CRC32();
    crc.update(url.getBytes(StandardCharsets.UTF_8));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }
}
