package com.datanadhi.echopost.upstream;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/// The authority part of a URL. It is parsed here because `java.net.URI` accepts no host with an
/// underscore, which names of Docker services may have. Immutable.
///
/// @param host a name or an address; an IPv6 address without its brackets
/// @param port -1 when the URL names none
/// @param userInfo `user:password`, decoded, or null
record Authority(String host, int port, @Nullable String userInfo) {
  /// Parses the authority of `uri`.
  ///
  /// @param source the flag or variable that the URL was given in, for the message
  /// @throws IllegalArgumentException when there is no usable host or port; the message quotes no
  ///   password
  static Authority of(URI uri, String source) {
    String all = uri.getRawAuthority() == null ? "" : uri.getRawAuthority();
    int at = all.lastIndexOf('@');
    String rest = all.substring(at + 1);
    int colon = rest.lastIndexOf(':');
    boolean hasPort = colon > rest.lastIndexOf(']');
    String host = hasPort ? rest.substring(0, colon) : rest;
    if (!host.matches("[A-Za-z0-9._~%-]+|\\[[0-9A-Fa-f:.%a-z]+]")) {
      throw new IllegalArgumentException(
          source
              + " has no usable host: write it as http://HOST:PORT, as in"
              + " http://data-nadhi-server:5000");
    }
    return new Authority(
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
        hasPort ? port(rest.substring(colon + 1), source) : -1,
        at < 0 ? null : URI.create("http://" + all.substring(0, at) + "@host").getUserInfo());
  }

  private static int port(String digits, String source) {
    if (digits.isEmpty()) {
      return -1;
    }
    int port = digits.matches("[0-9]{1,6}") ? Integer.parseInt(digits) : 0;
    if (port == 0 || port > 65_535) {
      throw new IllegalArgumentException(
          source + " has a bad port '" + digits + "': give a number from 1 to 65535");
    }
    return port;
  }

  int portOr(int standard) {
    return port < 0 ? standard : port;
  }

  /// The value of `Authorization` or `Proxy-Authorization` for Basic authentication (RFC 7617).
  static String basicCredentials(String userInfo) {
    return "Basic " + Base64.getEncoder().encodeToString(userInfo.getBytes(StandardCharsets.UTF_8));
  }
}
