package com.datanadhi.echopost.upstream;

import java.net.IDN;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The proxies that the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (or their lower-case
/// names) set. The rules are those of Go's `golang.org/x/net/http/httpproxy`, because the agent
/// that this program replaces used it: `NO_PROXY` is a list of names (a name covers its subdomains;
/// with a leading dot or `*.` only these), addresses and CIDR ranges, each with an optional port,
/// or `*`; a loopback server is never proxied. In a CGI program, which `REQUEST_METHOD` shows, the
/// proxy for http is not used: whoever sends the request can set `HTTP_PROXY` there. Immutable.
public final class ProxySettings {
  private static final int LONGEST_SOCKS_CREDENTIAL = 255;

  /// One proxy.
  ///
  /// @param kind its protocol
  /// @param userInfo `user:password`, or null
  record Proxy(Kind kind, String host, int port, @Nullable String userInfo) {}

  /// The protocol of a proxy.
  enum Kind {
    HTTP,
    HTTPS,
    SOCKS5
  }

  private final boolean refusesHttpProxy;
  private final @Nullable Proxy forHttp;
  private final @Nullable Proxy forHttps;
  private final List<String> exceptions;

  private ProxySettings(
      boolean refusesHttpProxy,
      @Nullable Proxy forHttp,
      @Nullable Proxy forHttps,
      List<String> exceptions) {
    this.refusesHttpProxy = refusesHttpProxy;
    this.forHttp = forHttp;
    this.forHttps = forHttps;
    this.exceptions = exceptions;
  }

  /// Reads the variables of `environment`.
  ///
  /// @throws IllegalArgumentException when a proxy's URL is malformed; the message names the
  ///   variable
  public static ProxySettings fromEnvironment(Map<String, String> environment) {
    boolean refusesHttpProxy =
        !environment.getOrDefault("REQUEST_METHOD", "").isEmpty()
            && !value(environment, "HTTP_PROXY").isEmpty();
    return new ProxySettings(
        refusesHttpProxy,
        refusesHttpProxy ? null : proxy(environment, "HTTP_PROXY"),
        proxy(environment, "HTTPS_PROXY"),
        List.of(value(environment, "NO_PROXY").split(",")));
  }

  /// The proxy to use for `server`, or null for none.
  @Nullable Proxy proxyFor(ServerUrl server) {
    Proxy proxy = server.secure() ? forHttps : forHttp;
    return proxy == null || isException(server.host().toLowerCase(Locale.ROOT), server.port())
        ? null
        : proxy;
  }

  /// Whether a proxy is set for `server` and not used because this is a CGI program.
  boolean refusesProxyFor(ServerUrl server) {
    return refusesHttpProxy
        && !server.secure()
        && !isException(server.host().toLowerCase(Locale.ROOT), server.port());
  }

  private boolean isException(String host, int port) {
    byte @Nullable [] address = IpAddresses.literal(host);
    if (host.equals("localhost") || (address != null && IpAddresses.isLoopback(address))) {
      return true;
    }
    for (String entry : exceptions) {
      if (matches(entry.strip().toLowerCase(Locale.ROOT), host, port, address)) {
        return true;
      }
    }
    return false;
  }

  private static boolean matches(String entry, String host, int port, byte @Nullable [] address) {
    if (entry.isEmpty()) {
      return false;
    }
    if (entry.equals("*")) {
      return true;
    }
    if (entry.indexOf('/') > 0) {
      return address != null && IpAddresses.inRange(entry, address);
    }
    String name = entry;
    int colon = entry.lastIndexOf(':');
    boolean onlyColon = colon >= 0 && (entry.indexOf(':') == colon || entry.startsWith("["));
    if (onlyColon && entry.indexOf(']') < colon) {
      String wanted = entry.substring(colon + 1);
      if (!wanted.isEmpty() && !wanted.equals(Integer.toString(port))) {
        return false;
      }
      name = entry.substring(0, colon);
    }
    if (name.isEmpty()) {
      return false;
    }
    if (name.startsWith("[") && name.endsWith("]")) {
      name = name.substring(1, name.length() - 1);
    }
    byte @Nullable [] nameAddress = IpAddresses.literal(name);
    if (nameAddress != null) {
      return address != null && java.util.Arrays.equals(nameAddress, address);
    }
    if (name.startsWith("*.")) {
      name = name.substring(1);
    }
    name = ascii(name);
    return name.startsWith(".")
        ? host.endsWith(name)
        : host.equals(name) || host.endsWith("." + name);
  }

  /// The form of an internationalized name that a URL contains.
  private static String ascii(String name) {
    boolean subdomains = name.startsWith(".");
    try {
      return subdomains ? "." + IDN.toASCII(name.substring(1)) : IDN.toASCII(name);
    } catch (IllegalArgumentException notSuchName) {
      return name;
    }
  }

  private static String value(Map<String, String> environment, String name) {
    String upper = environment.getOrDefault(name, "");
    return upper.isEmpty() ? environment.getOrDefault(name.toLowerCase(Locale.ROOT), "") : upper;
  }

  private static @Nullable Proxy proxy(Map<String, String> environment, String name) {
    String text = value(environment, name).strip();
    if (text.isEmpty()) {
      return null;
    }
    String url = text.contains("://") ? text : "http://" + text;
    Kind kind =
        switch (url.substring(0, url.indexOf("://")).toLowerCase(Locale.ROOT)) {
          case "http" -> Kind.HTTP;
          case "https" -> Kind.HTTPS;
          case "socks5", "socks5h" -> Kind.SOCKS5;
          default ->
              throw new IllegalArgumentException(
                  name + " must be an http, https or socks5 URL, as in http://proxy:3128");
        };
    int standard =
        switch (kind) {
          case HTTP -> 80;
          case HTTPS -> 443;
          case SOCKS5 -> 1080;
        };
    Authority authority = Authority.parse(url, name);
    requireNothingAfterAuthority(authority.uri(), name);
    if (kind == Kind.SOCKS5) {
      requireSocksCredentials(authority.userInfo(), name);
    }
    return new Proxy(kind, authority.host(), authority.portOr(standard), authority.userInfo());
  }

  /// A proxy's URL has nothing there, so it is the rest of a password.
  private static void requireNothingAfterAuthority(URI uri, String name) {
    String rest = uri.getRawPath() + uri.getRawQuery() + uri.getRawFragment();
    if (rest.indexOf('@') >= 0) {
      throw new IllegalArgumentException(
          name
              + " has a '/', '?' or '#' before an '@': write them as %2F, %3F and %23 in a user or"
              + " password");
    }
  }

  /// RFC 1929 has one byte for each length, and Netty encodes ASCII only.
  private static void requireSocksCredentials(@Nullable String userInfo, String name) {
    if (userInfo == null) {
      return;
    }
    for (String part : userInfo.split(":", 2)) {
      if (part.length() > LONGEST_SOCKS_CREDENTIAL || !part.matches("\\p{ASCII}*")) {
        throw new IllegalArgumentException(
            name + " has a user or password that SOCKS5 cannot send: at most 255 ASCII characters");
      }
    }
  }
}
