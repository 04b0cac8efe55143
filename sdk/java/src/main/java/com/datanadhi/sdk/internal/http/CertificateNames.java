package com.datanadhi.sdk.internal.http;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Compares names with an underscore with the DNS names in a certificate (RFC 9525). The JDK, which
 * asks only after its own check has failed, takes such a name for malformed. Thread-safe.
 */
final class CertificateNames implements HostnameVerifier {
  private static final Integer DNS_NAME = 2;

  @Override
  public boolean verify(String host, SSLSession session) {
    try {
      return host.indexOf('_') >= 0
          && session.getPeerCertificates()[0] instanceof X509Certificate certificate
          && contain(certificate, host);
    } catch (SSLPeerUnverifiedException noCertificate) {
      return false;
    }
  }

  /** Whether {@code host} is one of the names, or matches one whose first label is {@code *}. */
  private static boolean contain(X509Certificate certificate, String host) {
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      return names != null
          && names.stream()
              .filter(name -> DNS_NAME.equals(name.get(0)))
              .anyMatch(name -> matches(String.valueOf(name.get(1)), host));
    } catch (CertificateParsingException unreadable) {
      return false;
    }
  }

  private static boolean matches(String pattern, String host) {
    String wanted = pattern.toLowerCase(Locale.ROOT);
    String name = host.toLowerCase(Locale.ROOT);
    int firstDot = name.indexOf('.');
    return wanted.equals(name)
        || (wanted.startsWith("*.")
            && wanted.indexOf('.', 2) > 0
            && firstDot > 0
            && name.substring(firstDot).equals(wanted.substring(1)));
  }
}
