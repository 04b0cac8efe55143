package com.datanadhi.sdk.internal.http;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which proxy a request goes through: that of the settings, else that of the JVM ({@link
 * ProxySelector#getDefault}), else that of the environment ({@code https_proxy}, {@code
 * http_proxy}, {@code no_proxy}, also in upper case). The JVM decides if one of its properties for
 * proxies is set, or the application has set a selector. By the settings and the environment,
 * servers on loopback and those in {@code no_proxy} have no proxy. Proxies that are reached by
 * SOCKS or https are not used. Immutable.
 */
public final class Proxies {
  /** The value of the setting by which there is no proxy, whatever else is configured. */
  public static final String DIRECT = "direct";

  /** The header with the password for a proxy. */
  static final String AUTHORIZATION = "Proxy-Authorization";

  private static final Pattern PROXY_URL =
      Pattern.compile("(?:http://)?(?![a-z0-9]+://)(?:(.*)@)?([^@/?#]*?)(?::([0-9]{1,5}))?/?");

  private static final List<String> JVM_PROPERTIES = List.of("http.proxyHost", "https.proxyHost");

  private static final String JDK_SELECTOR = "sun.net.spi.DefaultProxySelector";

  private final String url;
  private final String exceptions;
  private final Map<String, String> environment;
  private final UnaryOperator<@Nullable String> property;

  /**
   * Makes the rules.
   *
   * @param url the setting; empty for none
   * @param exceptions the setting, in the form of {@code no_proxy}; empty for that variable
   * @param property returns the value of a system property, or null
   */
  public Proxies(
      String url,
      String exceptions,
      Map<String, String> environment,
      UnaryOperator<@Nullable String> property) {
    this.url = url;
    this.exceptions = exceptions;
    this.environment = environment;
    this.property = property;
  }

  /** Rules by which no request goes through a proxy. */
  public static Proxies none() {
    return new Proxies(DIRECT, "", Map.of(), name -> null);
  }

  /**
   * A proxy that speaks HTTP.
   *
   * @param userInfo user, colon and password; empty for none
   */
  record ProxyServer(String host, int port, String userInfo) {
    /** The value of {@code Proxy-Authorization} (RFC 7617); empty for none. */
    String authorization() {
      if (userInfo.isEmpty()) {
        return "";
      }
      String pair = userInfo.indexOf(':') < 0 ? userInfo + ":" : userInfo;
      return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    Proxy proxy() {
      return new Proxy(Proxy.Type.HTTP, new InetSocketAddress(name(), port));
    }

    /** The host without brackets. */
    private String name() {
      return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    String url() {
      String user =
          Stream.of(userInfo.split(":", 2))
              .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
              .reduce((name, password) -> name + ":" + password)
              .orElse("");
      return "http://" + (user.isEmpty() ? "" : user + "@") + host + ":" + port;
    }

    /** Without the password. */
    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  /**
   * Whether {@code text} is the URL of a proxy, or {@link #DIRECT}.
   *
   * @param text with or without http; user and password percent-encoded
   */
  public static boolean isValid(String text) {
    return text.equals(DIRECT) || parse(text).isPresent();
  }

  private static Optional<ProxyServer> parse(String text) {
    Matcher parts = PROXY_URL.matcher(text.strip());
    if (!parts.matches()) {
      return Optional.empty();
    }
    String userInfo = parts.group(1) == null ? "" : parts.group(1);
    String port = parts.group(3) == null ? "80" : parts.group(3);
    try {
      return HostAddress.of(URI.create("http://" + parts.group(2) + ":" + port))
          .map(at -> new ProxyServer(at.host(), at.port(), decoded(userInfo)));
    } catch (IllegalArgumentException malformed) {
      return Optional.empty();
    }
  }

  /** A plus sign stays one. */
  private static String decoded(String userInfo) {
    return URLDecoder.decode(userInfo.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** The proxy for the server, if there is one. */
  Optional<ProxyServer> select(HostAddress server) {
    if (!url.isEmpty()) {
      return url.equals(DIRECT) || isException(server) ? Optional.empty() : parse(url);
    }
    return jvmDecides() ? ofJvm(server) : ofEnvironment(server);
  }

  private boolean jvmDecides() {
    ProxySelector selector = ProxySelector.getDefault();
    return selector == null
        || !selector.getClass().getName().equals(JDK_SELECTOR)
        || JVM_PROPERTIES.stream().anyMatch(name -> property.apply(name) != null)
        || "true".equalsIgnoreCase(property.apply("java.net.useSystemProxies"));
  }

  private Optional<ProxyServer> ofJvm(HostAddress server) {
    ProxySelector selector = ProxySelector.getDefault();
    if (selector == null) {
      return Optional.empty();
    }
    List<Proxy> proxies =
        selector.select(URI.create(server.scheme() + "://" + server.host() + ":" + server.port()));
    Proxy first = proxies.isEmpty() ? Proxy.NO_PROXY : proxies.get(0);
    if (first.type() != Proxy.Type.HTTP
        || !(first.address() instanceof InetSocketAddress address)) {
      return Optional.empty();
    }
    String host = address.getHostString();
    return Optional.of(
        new ProxyServer(
            host.indexOf(':') < 0 ? host : "[" + host + "]",
            address.getPort(),
            jvmUser(server.scheme())));
  }

  /** By the properties that most libraries for Java use beside those of the JDK. */
  private String jvmUser(String scheme) {
    String user = property.apply(scheme + ".proxyUser");
    String password = property.apply(scheme + ".proxyPassword");
    return user == null ? "" : user + ":" + (password == null ? "" : password);
  }

  private Optional<ProxyServer> ofEnvironment(HostAddress server) {
    String text = variable(server.scheme() + "_proxy");
    return text.isEmpty() || isException(server) ? Optional.empty() : parse(text);
  }

  /** In a CGI program, who sends a request sets the variable {@code HTTP_PROXY}. */
  private String variable(String name) {
    String value = environment.getOrDefault(name, "");
    boolean isOfCgi = name.equals("http_proxy") && environment.containsKey("REQUEST_METHOD");
    return value.isEmpty() && !isOfCgi
        ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "")
        : value;
  }

  private boolean isException(HostAddress server) {
    String host = server.name().toLowerCase(Locale.ROOT);
    if (host.equals("localhost") || host.equals("::1") || host.matches("127(\\.[0-9]{1,3}){3}")) {
      return true;
    }
    String list = exceptions.isEmpty() ? variable("no_proxy") : exceptions;
    return Arrays.stream(list.split(","))
        .map(entry -> entry.strip().toLowerCase(Locale.ROOT))
        .anyMatch(entry -> matches(entry, host, server.port()));
  }

  /** A name covers its subdomains; with a dot or {@code *.} before it only these. */
  private static boolean matches(String entry, String host, int port) {
    if (entry.isEmpty() || entry.equals("*")) {
      return entry.equals("*");
    }
    if (entry.indexOf('/') > 0) {
      return AddressRange.contains(entry, host);
    }
    Matcher withPort = Pattern.compile("(\\[.*]|[^:]*):([0-9]+)").matcher(entry);
    String name = entry;
    if (withPort.matches()) {
      if (!withPort.group(2).equals(Integer.toString(port))) {
        return false;
      }
      name = withPort.group(1);
    }
    name = name.replaceFirst("^\\[(.*)]$", "$1").replaceFirst("^\\*\\.", ".");
    return name.startsWith(".")
        ? host.endsWith(name)
        : host.equals(name) || host.endsWith("." + name);
  }

  /** For the JDK's HTTP client. */
  ProxySelector asSelector() {
    return new ProxySelector() {
      @Override
      public List<Proxy> select(URI to) {
        return List.of(
            HostAddress.of(to)
                .flatMap(Proxies.this::select)
                .map(ProxyServer::proxy)
                .orElse(Proxy.NO_PROXY));
      }

      @Override
      public void connectFailed(URI to, SocketAddress proxy, IOException failure) {
        // The request fails, and is logged.
      }
    };
  }

  /** What a proxy's answer 407 means to a request to {@code server}. */
  static ConnectException refusal(URI server) {
    String problem = "the proxy answered 407: check the user and password of the proxy";
    return new ConnectException(
        "https".equalsIgnoreCase(server.getScheme())
            ? problem
                + ". Java sends them for https only if the JVM is started with"
                + " -Djdk.http.auth.tunneling.disabledSchemes= (with nothing after the equals sign);"
                + " EchoPost, if it is used, sends them without that"
            : problem);
  }

  /**
   * The variables with which EchoPost's agent uses the same proxy for the main server. Where the
   * environment decides, the agent reads that itself, since it has more kinds of proxies.
   */
  public Map<String, String> ofAgent(URI mainServer) {
    if (url.isEmpty() && !jvmDecides()) {
      return exceptions.isEmpty() ? Map.of() : Map.of("NO_PROXY", exceptions);
    }
    HostAddress server = HostAddress.require(mainServer);
    Optional<ProxyServer> proxy = select(server);
    if (proxy.isEmpty()) {
      return Map.of("NO_PROXY", "*");
    }
    return Map.of(
        server.scheme().toUpperCase(Locale.ROOT) + "_PROXY",
        proxy.get().url(),
        "NO_PROXY",
        "",
        "no_proxy",
        "",
        "REQUEST_METHOD",
        "");
  }
}
