package com.datanadhi.echopost.upstream;

import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The main server's URL, validated. Immutable.
///
/// @param secure https
/// @param host a name or an address; an IPv6 address without its brackets
/// @param port 1 to 65535
/// @param path the raw path of probes, at least `/`
/// @param userInfo `user:password` from the URL, decoded, sent as Basic authentication; null when
///   there is none
public record ServerUrl(
    boolean secure, String host, int port, String path, @Nullable String userInfo) {

  /// Parses the value of `-health-url`.
  ///
  /// @throws IllegalArgumentException when it is not an http or https URL with a host; the message
  ///   quotes no password
  public static ServerUrl parse(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    boolean secure = lower.startsWith("https:");
    if (!secure && !lower.startsWith("http:")) {
      throw new IllegalArgumentException(
          "-health-url must begin with http:// or https://, as in http://data-nadhi-server:5000");
    }
    Authority authority = Authority.parse(text.strip(), "-health-url");
    URI uri = authority.uri();
    if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
      throw new IllegalArgumentException(
          "-health-url must have no '?' and no '#': /log is added to its path");
    }
    int port = authority.portOr(secure ? 443 : 80);
    String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return new ServerUrl(secure, authority.host(), port, path, authority.userInfo());
  }

  /// The raw path of deliveries: that of probes with `/log` appended.
  public String logPath() {
    return (path.endsWith("/") ? path.substring(0, path.length() - 1) : path) + "/log";
  }

  /// The value of the `Host` header.
  public String authority() {
    String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return port == (secure ? 443 : 80) ? name : name + ":" + port;
  }

  /// The URL without user and password.
  @Override
  public String toString() {
    return (secure ? "https://" : "http://") + authority() + (path.equals("/") ? "" : path);
  }
}
