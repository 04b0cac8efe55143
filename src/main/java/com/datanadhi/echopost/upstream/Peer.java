package com.datanadhi.echopost.upstream;

/// One end that a connection to the main server needs, as the log names it. Immutable.
///
/// @param role what it is: "the main server" or "the proxy"
/// @param setting the flag or variable that names it
record Peer(String role, String host, int port, String setting) {
  private static final String PROXY = "the proxy";

  static Peer server(ServerUrl url) {
    return new Peer("the main server", url.host(), url.port(), "-health-url");
  }

  /// @param server the URL that the proxy is used for
  static Peer proxy(ProxySettings.Proxy proxy, ServerUrl server) {
    return new Peer(
        PROXY, proxy.host(), proxy.port(), server.secure() ? "HTTPS_PROXY" : "HTTP_PROXY");
  }

  boolean isProxy() {
    return role.equals(PROXY);
  }

  @Override
  public String toString() {
    return role + " " + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
