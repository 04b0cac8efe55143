package com.datanadhi.echopost.upstream;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/// The authority part of a URL. It is parsed here because `java.net.URI` accepts no host with an
/// underscore, which names of Docker services may have, and drops a user and password that contain
/// an `@`. Immutable.
///
/// @param uri the URL without user and password
/// @param host a name or an address; an IPv6 address without its brackets
/// @param port -1 when the URL names none
/// @param userInfo `user:password`, decoded, or null
record Authority(URI uri, String host, int port, @Nullable String userInfo) {
  private static final int ESCAPE_LENGTH = 3;

  /// Parses an absolute URL. The user and password end at the last `@` of the authority, and may
  /// contain any character but `/`, `?` and `#`; a `%` starts an escape.
  ///
  /// @param source the flag or variable that the URL was given in, for the message
  /// @throws IllegalArgumentException when it is not such a URL; the message quotes no password
  static Authority parse(String text, String source) {
    int scheme = text.indexOf("://");
    int start = scheme < 0 ? text.length() : scheme + "://".length();
    int end = start;
    while (end < text.length() && "/?#".indexOf(text.charAt(end)) < 0) {
      end++;
    }
    String all = text.substring(start, end);
    int at = all.lastIndexOf('@');
    String rest = all.substring(at + 1);
    int colon = rest.lastIndexOf(':');
    boolean hasPort = colon > rest.lastIndexOf(']');
    if (at < 0 && hasPort && text.indexOf('@', end) >= 0) {
      throw new IllegalArgumentException(
          source
              + " has a '/', '?' or '#' before an '@': write them as %2F, %3F and %23 in a user or"
              + " password, and '@' as %40 in a path");
    }
    URI uri;
    try {
      uri = new URI(text.substring(0, start) + rest + text.substring(end));
    } catch (URISyntaxException bad) {
      throw new IllegalArgumentException(
          source + " is not a URL (" + bad.getReason() + "): write http://HOST:PORT", bad);
    }
    String host = hasPort ? rest.substring(0, colon) : rest;
    if (!host.matches("[A-Za-z0-9._~%-]+|\\[[0-9A-Fa-f:.%a-z]+]")) {
      throw new IllegalArgumentException(
          source
              + " has no usable host: write it as http://HOST:PORT, as in"
              + " http://data-nadhi-server:5000");
    }
    return new Authority(
        uri,
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
        hasPort ? port(rest.substring(colon + 1), source) : -1,
        at < 0 ? null : decoded(all.substring(0, at), source));
  }

  private static int port(String digits, String source) {
    if (digits.isEmpty()) {
      return -1;
    }
    int port = digits.matches("[0-9]{1,6}") ? Integer.parseInt(digits) : 0;
    if (port == 0 || port > 65_535) {
      // What is written there may be a password.
      throw new IllegalArgumentException(
          source + " has a bad port: give a number from 1 to 65535, as in http://HOST:5000");
    }
    return port;
  }

  private static String decoded(String text, String source) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); ) {
      if (text.charAt(i) == '%') {
        String hex = text.substring(i + 1, Math.min(text.length(), i + ESCAPE_LENGTH));
        if (!hex.matches("[0-9A-Fa-f]{2}")) {
          throw new IllegalArgumentException(
              source + " has a '%' in its user or password: write it as %25");
        }
        bytes.write(Integer.parseInt(hex, 16));
        i += ESCAPE_LENGTH;
      } else {
        int character = text.codePointAt(i);
        bytes.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
        i += Character.charCount(character);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  int portOr(int standard) {
    return port < 0 ? standard : port;
  }

  /// The value of `Authorization` or `Proxy-Authorization` for Basic authentication (RFC 7617).
  static String basicCredentials(String userInfo) {
    String pair = userInfo.indexOf(':') < 0 ? userInfo + ":" : userInfo;
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }
}
