package com.datanadhi.sdk.internal.http;

import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The server in a URL. {@link URI#getHost} is null for names with an underscore, which services of
 * Docker can have, so the authority is parsed here.
 *
 * @param scheme http or https
 * @param host a name or an address; an IPv6 address in brackets
 * @param port 1 to 65535, the standard port of the scheme if the URL has none
 */
public record HostAddress(String scheme, String host, int port) {
  private static final Pattern AUTHORITY =
      Pattern.compile(
          "(\\[[0-9A-Fa-f:.]+(?:%[\\w.~-]+)?]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\\.?)"
              + "(?::([0-9]{0,5}))?");

  private static final int MAX_PORT = 65_535;

  /**
   * From an http or https URL without user and password.
   *
   * @return empty for any other URL
   */
  public static Optional<HostAddress> of(URI url) {
    String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
    boolean secure = scheme.equals("https");
    if ((!secure && !scheme.equals("http")) || url.getRawAuthority() == null) {
      return Optional.empty();
    }
    Matcher parts = AUTHORITY.matcher(url.getRawAuthority());
    if (!parts.matches() || parts.group(1).contains("..")) {
      return Optional.empty();
    }
    String digits = parts.group(2);
    int port = digits == null || digits.isEmpty() ? secure ? 443 : 80 : Integer.parseInt(digits);
    return port == 0 || port > MAX_PORT
        ? Optional.empty()
        : Optional.of(new HostAddress(scheme, parts.group(1), port));
  }

  /** As {@link #of}, for a URL that was checked before. */
  static HostAddress require(URI url) {
    return of(url)
        .orElseThrow(() -> new IllegalArgumentException("not the URL of a server: " + url));
  }

  /** The host without brackets, for a look-up. */
  String name() {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }
}
