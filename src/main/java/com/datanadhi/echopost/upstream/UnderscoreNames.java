package com.datanadhi.echopost.upstream;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// Compares the DNS names in a server's certificate (RFC 9525) with a host name that has an
/// underscore, as services of Docker can have: the JDK refuses such a name, whatever the
/// certificate says. For every other name the JDK does it. Thread-safe.
final class UnderscoreNames extends X509ExtendedTrustManager {
  private static final Integer DNS_NAME = 2;

  private final X509ExtendedTrustManager authorities;

  /// @param authorities decides whether the chain is trusted
  UnderscoreNames(X509ExtendedTrustManager authorities) {
    this.authorities = authorities;
  }

  /// Whether the name must be compared here, and endpoint identification by the JDK be off.
  static boolean isOne(@Nullable String host) {
    return host != null && host.indexOf('_') >= 0;
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    authorities.checkServerTrusted(chain, authType, engine);
    requireName(chain[0], engine.getPeerHost());
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    authorities.checkServerTrusted(chain, authType, socket);
  }

  private static void requireName(X509Certificate certificate, @Nullable String host)
      throws CertificateException {
    if (!isOne(host) || host == null) {
      return;
    }
    Collection<List<?>> names = certificate.getSubjectAlternativeNames();
    if (names == null
        || names.stream()
            .filter(name -> DNS_NAME.equals(name.getFirst()))
            .noneMatch(name -> matches(String.valueOf(name.get(1)), host))) {
      throw new CertificateException(
          "No subject alternative DNS name matching " + host + " found.");
    }
  }

  /// Without case; a first label `*` stands for one label.
  private static boolean matches(String pattern, String host) {
    String wanted = pattern.toLowerCase(Locale.ROOT);
    String name = host.toLowerCase(Locale.ROOT);
    int dot = name.indexOf('.');
    return wanted.equals(name)
        || (wanted.startsWith("*.")
            && wanted.indexOf('.', 2) > 0
            && dot > 0
            && name.substring(dot).equals(wanted.substring(1)));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    authorities.checkServerTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    authorities.checkClientTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    authorities.checkClientTrusted(chain, authType, socket);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    authorities.checkClientTrusted(chain, authType, engine);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authorities.getAcceptedIssuers();
  }
}
