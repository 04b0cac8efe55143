package com.datanadhi.echopost.upstream;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.proxy.ProxyConnectException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NoRouteToHostException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Describes why the main server gave no response: in one line, what failed at which end, and what
/// to do if something can be done. All texts for it are here; none contains a password.
final class FailureText {
  private static final String SOCKS5 = "SOCKS5";

  // Netty's native transport starts its messages with the system call and its error number.
  private static final Pattern SYSTEM_CALL =
      Pattern.compile("^\\w+\\(\\.\\.\\) failed with error\\(-?\\d+\\): ");
  private static final Pattern PROXY_STATUS = Pattern.compile("status: (\\d{3})\\b");
  private static final Pattern SOCKS_STATUS = Pattern.compile("status: (\\w+)\\((\\d+)\\)");
  private static final Pattern ALERT = Pattern.compile("fatal alert: (\\w+)");

  private FailureText() {}

  /// The name of `peer` could not be looked up.
  static String lookUp(Peer peer, Throwable failure) {
    String what = "the name " + peer.host() + " of " + peer.role() + " could not be looked up";
    if (failure instanceof TimeoutException) {
      return what + " in time: check this machine's name servers";
    }
    String message = String.valueOf(failure.getMessage());
    if (message.contains("Temporary failure")) {
      return what + ": no name server answers: check this machine's network and name servers";
    }
    return what + ": no name server knows it: check " + peer.setting();
  }

  /// A TCP connection to `peer` at `address` could not be made.
  static String connect(Peer peer, InetAddress address, Throwable failure) {
    String ip = address.getHostAddress();
    String what =
        "cannot connect to " + peer + (ip.equals(peer.host()) ? "" : " (" + ip + ")") + ": ";
    if (failure instanceof TimeoutException || has(failure, ConnectTimeoutException.class)) {
      return what + "no answer in time: it is off, or a firewall drops the packets";
    }
    if (has(failure, NoRouteToHostException.class)) {
      return what + "no route to it: check this machine's network";
    }
    String reason = message(failure);
    if (reason.contains("refused")) {
      return what + "connection refused: nothing listens there; check " + peer.setting();
    }
    if (reason.contains("Too many open files")) {
      return what + "this process may open no more files: raise the limit (ulimit -n)";
    }
    if (reason.contains("Permission denied") || reason.contains("not permitted")) {
      return what + "this machine's firewall or security policy forbids it";
    }
    if (reason.contains("timed out")) {
      return what + "no answer in time: it is off, or a firewall drops the packets";
    }
    return what + reason;
  }

  /// The certificates to trust could not be read; `failure` says which and why.
  static String trust(Throwable failure) {
    return "TLS is not possible: " + failure.getMessage();
  }

  /// The TLS handshake with `peer`, or reading from it, failed.
  static String tls(Peer peer, Throwable failure) {
    String what = "TLS with " + peer + " failed: ";
    if (failure instanceof TimeoutException || has(failure, SslHandshakeTimeoutException.class)) {
      return what + "it did not answer the handshake in time";
    }
    if (has(failure, NotSslRecordException.class)) {
      return what + "it does not speak TLS; check https:// and the port in " + peer.setting();
    }
    if (has(failure, CertificateExpiredException.class)) {
      return what + "its certificate has expired: renew it, or correct this machine's clock";
    }
    if (has(failure, CertificateNotYetValidException.class)) {
      return what + "its certificate is not valid yet: check this machine's clock";
    }
    String reason = message(failure);
    String all = chain(failure);
    // The last two: a trusted authority of the same name has another key.
    if (all.contains("unable to find valid certification path")
        || all.contains("does not chain with any of the trust anchors")
        || all.contains("Signature does not match")) {
      return what
          + "no trusted authority signed its certificate: name the authority's file in"
          + " SSL_CERT_FILE";
    }
    if (all.contains("No subject alternative") || all.contains("No name matching")) {
      return what + "its certificate is for another name than " + peer.host();
    }
    Matcher alert = ALERT.matcher(all);
    if (alert.find()) {
      return what + alert(alert.group(1));
    }
    if (has(failure, ClosedChannelException.class)
        || all.contains("closed while SSL/TLS handshake")
        || all.contains("Connection reset")) {
      return what + "it closed the connection during the handshake";
    }
    return what + reason;
  }

  private static String alert(String name) {
    return switch (name) {
      case "certificate_required", "bad_certificate" ->
          "it requires a client certificate, which EchoPost does not have (alert " + name + ")";
      case "protocol_version", "handshake_failure", "insufficient_security" ->
          "no common version or cipher (TLS 1.2 and 1.3 are offered), or it requires a client"
              + " certificate (alert "
              + name
              + ")";
      case "unrecognized_name" ->
          "it does not know the name that it was asked for (alert " + name + ")";
      default -> "it ended the handshake with the alert " + name;
    };
  }

  /// `proxy` did not connect to `server`.
  static String tunnel(Peer proxy, Peer server, Throwable failure) {
    String target = server.host() + ":" + server.port();
    String all = chain(failure);
    Matcher http = PROXY_STATUS.matcher(all);
    if (http.find()) {
      String status = http.group(1);
      return switch (status) {
        case "407" -> credentials(proxy, "HTTP 407");
        case "403" -> proxy + " forbids connections to " + target + " (HTTP 403): allow it there";
        case "999" -> proxy + " does not answer as an HTTP proxy; check " + proxy.setting();
        default -> proxy + " did not connect to " + target + " (HTTP " + status + ")";
      };
    }
    if (failure instanceof TimeoutException || all.contains("timeout")) {
      return proxy + " did not connect to " + target + " in time";
    }
    if (all.contains("authStatus: ") || all.contains("unexpected authMethod")) {
      return credentials(proxy, SOCKS5);
    }
    Matcher socks = SOCKS_STATUS.matcher(all);
    if (socks.find()) {
      return proxy
          + " did not connect to "
          + target
          + ": "
          + socksStatus(socks.group(1))
          + " (SOCKS status "
          + socks.group(2)
          + ")";
    }
    if (all.contains("disconnected") || all.contains("missing response")) {
      return proxy + " closed the connection instead of connecting to " + target;
    }
    if (all.contains("Connection reset")) {
      return proxy + " reset the connection instead of connecting to " + target;
    }
    return proxy + " does not answer as a SOCKS5 proxy; check the scheme in " + proxy.setting();
  }

  /// `proxy` did not accept the user and password, or there are none.
  static String credentials(Peer proxy, String protocol) {
    return proxy
        + " requires a user and password that it accepts ("
        + protocol
        + "): write "
        + (protocol.equals(SOCKS5) ? "socks5" : "http")
        + "://USER:PASSWORD@HOST:PORT in "
        + proxy.setting();
  }

  private static String socksStatus(String status) {
    return switch (status) {
      case "FORBIDDEN" -> "its rules forbid it";
      case "NETWORK_UNREACHABLE" -> "the network is unreachable from there";
      case "HOST_UNREACHABLE" -> "the server is unreachable from there";
      case "CONNECTION_REFUSED" -> "connection refused";
      case "TTL_EXPIRED" -> "time to live exceeded";
      case "COMMAND_UNSUPPORTED" -> "it does not support CONNECT";
      case "ADDRESS_UNSUPPORTED" -> "it does not support this type of address";
      default -> "general failure";
    };
  }

  /// An exchange over an established connection to `peer` failed.
  static String exchange(Peer peer, @Nullable Throwable failure) {
    if (failure == null) {
      return peer + " gave no response";
    }
    if (has(failure, SSLException.class)) {
      return tls(peer, failure);
    }
    if (has(failure, TooLongFrameException.class)) {
      return peer + " sent a response header that is too large (limit 32 KiB)";
    }
    String reason = message(failure);
    if (reason.contains("Connection reset") || reason.contains("Broken pipe")) {
      return peer + " reset the connection before its response";
    }
    return reason.contains("timed out")
        ? "the connection to " + peer + " broke: no answer in time"
        : peer + " " + reason;
  }

  /// No response came within `limit`.
  static String noResponse(Peer peer, Duration limit) {
    return peer + " gave no response within " + limit.toSeconds() + " s";
  }

  private static boolean has(Throwable failure, Class<? extends Throwable> type) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }

  /// Whether the proxy handler caused `failure`, whichever handler reported it.
  static boolean isTunnelFailure(Throwable failure) {
    return has(failure, ProxyConnectException.class);
  }

  private static String chain(Throwable failure) {
    StringBuilder all = new StringBuilder();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      all.append(cause.getMessage()).append('\n');
    }
    return all.toString();
  }

  /// The innermost message, on one line.
  private static String message(Throwable failure) {
    String text = null;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null) {
        text = cause.getMessage();
      }
    }
    if (text == null) {
      return failure instanceof IOException ? "input/output error" : "internal error";
    }
    return SYSTEM_CALL.matcher(text).replaceFirst("").replaceAll("\\s+", " ");
  }
}
