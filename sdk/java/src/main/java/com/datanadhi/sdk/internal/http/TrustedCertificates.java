package com.datanadhi.sdk.internal.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** The certificate authorities in a file, and those of the JVM. Thread-safe. */
public final class TrustedCertificates {
  /**
   * Every JDK has it. The default type can be a token or the user's key chain, which can have other
   * authorities, or cannot be written.
   */
  private static final String IN_MEMORY = "PKCS12";

  private TrustedCertificates() {}

  /**
   * Checks that the file can be used.
   *
   * @throws IOException if it cannot be read, or has no certificate; the message says so
   */
  public static void check(Path file) throws IOException {
    Collection<? extends Certificate> unused = read(file);
  }

  private static Collection<? extends Certificate> read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> found =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (found.isEmpty()) {
        throw new IOException("has no certificate");
      }
      return found;
    } catch (CertificateException malformed) {
      throw new IOException("is not a file of certificates in PEM format", malformed);
    }
  }

  /** TLS that trusts the authorities in the file and those that the JVM trusts. */
  static SSLContext context(Path file) throws GeneralSecurityException, IOException {
    KeyStore trusted = KeyStore.getInstance(IN_MEMORY);
    trusted.load(null, null);
    TrustManagerFactory ofJvm =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    ofJvm.init((KeyStore) null);
    for (TrustManager manager : ofJvm.getTrustManagers()) {
      if (manager instanceof X509TrustManager known) {
        for (X509Certificate certificate : known.getAcceptedIssuers()) {
          trusted.setCertificateEntry("jvm-" + trusted.size(), certificate);
        }
      }
    }
    for (Certificate certificate : read(file)) {
      trusted.setCertificateEntry("file-" + trusted.size(), certificate);
    }
    TrustManagerFactory all =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    all.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, all.getTrustManagers(), null);
    return context;
  }
}
