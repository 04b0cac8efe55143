package com.datanadhi.echopost.upstream;

import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/// The main server's address, checked. Immutable.
///
/// @param secure https
/// @param host a name or an address; an IPv6 address without its brackets
/// @param port 1 to 65535
/// @param path the raw path that probes go to, `/` at least
/// @param userInfo `user:password` from the URL, decoded, sent as Basic authentication; null when
///   there is none
public record ServerUrl(
    boolean secure, String host, int port, String path, @Nullable String userInfo) {

  /// Reads the value of `-health-url`.
  ///
  /// @throws IllegalArgumentException when it is not an http or https URL with a host; the message
  ///   quotes no password
  public static ServerUrl parse(String text) {
    URI uri;
    try {
      uri = new URI(text.strip());
    } catch (URISyntaxException bad) {
      throw new IllegalArgumentException(
          "-health-url is not a URL (" + bad.getReason() + "): write http://HOST:PORT", bad);
    }
    String scheme =
        uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(java.util.Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw new IllegalArgumentException(
          "-health-url must begin with http:// or https://, as in http://data-nadhi-server:5000");
    }
    HostPort authority = authority(uri);
    if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
      throw new IllegalArgumentException(
          "-health-url must have no '?' and no '#': /log is added to its path");
    }
    boolean secure = scheme.equals("https");
    int port = authority.port() < 0 ? (secure ? 443 : 80) : authority.port();
    String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return new ServerUrl(secure, authority.host(), port, path, userInfo(uri));
  }

  /// Where records go: the path with `/log` added.
  public String logPath() {
    return (path.endsWith("/") ? path.substring(0, path.length() - 1) : path) + "/log";
  }

  /// The value of the `Host` header.
  public String authority() {
    String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return port == (secure ? 443 : 80) ? name : name + ":" + port;
  }

  /// The URL without its password.
  @Override
  public String toString() {
    return (secure ? "https://" : "http://") + authority() + (path.equals("/") ? "" : path);
  }

  private record HostPort(String host, int port) {}

  // Read past the host, which java.net.URI may not know: see authority().
  private static @Nullable String userInfo(URI uri) {
    String authority = String.valueOf(uri.getRawAuthority());
    int at = authority.lastIndexOf('@');
    return at < 0 ? null : URI.create("http://" + authority.substring(0, at) + "@h").getUserInfo();
  }

  // java.net.URI knows no host with an underscore, which Docker's service names have: such an
  // authority is read here.
  private static HostPort authority(URI uri) {
    String host = uri.getHost();
    int port = uri.getPort();
    if (host == null && uri.getRawAuthority() != null) {
      String rest = uri.getRawAuthority();
      rest = rest.substring(rest.lastIndexOf('@') + 1);
      int colon = rest.lastIndexOf(':');
      host = colon < 0 ? rest : rest.substring(0, colon);
      if (colon >= 0) {
        String digits = rest.substring(colon + 1);
        if (!digits.isEmpty() && !digits.matches("[0-9]{1,6}")) {
          throw new IllegalArgumentException(
              "-health-url has a bad port '" + digits + "': give a number from 1 to 65535");
        }
        port = digits.isEmpty() ? -1 : Integer.parseInt(digits);
      }
    }
    if (host == null
        || host.isEmpty()
        || !host.matches("[A-Za-z0-9._~%-]+|\\[[0-9A-Fa-f:.%a-z]+]")) {
      throw new IllegalArgumentException(
          "-health-url has no usable host: write http://HOST:PORT, as in http://data-nadhi-server:5000");
    }
    if (port == 0 || port > 65_535) {
      throw new IllegalArgumentException(
          "-health-url has a bad port " + port + ": give a number from 1 to 65535");
    }
    return new HostPort(host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port);
  }
}
