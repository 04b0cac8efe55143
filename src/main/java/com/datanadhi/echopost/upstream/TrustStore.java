package com.datanadhi.echopost.upstream;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// The certificate authorities that TLS connections trust: the system's and the JDK's.
///
/// The system's are those in the file that `SSL_CERT_FILE` names, else in the first bundle found at
/// the paths that Linux distributions use (the list of Go's `crypto/x509`, root_linux.go), and on
/// macOS those of the keychain. They are read once, at the first connection. Thread-safe.
public final class TrustStore {
  private static final List<String> BUNDLES =
      List.of(
          "/etc/ssl/certs/ca-certificates.crt",
          "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/ca-bundle.pem",
          "/etc/pki/tls/cacert.pem",
          "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
          "/etc/ssl/cert.pem");
  private static final List<String> KEYCHAINS = List.of("KeychainStore-ROOT", "KeychainStore");

  private final @Nullable String bundle;
  private @Nullable SSLContext context;

  /// @param environment the environment variables, of which `SSL_CERT_FILE` is read
  public TrustStore(Map<String, String> environment) {
    this.bundle = environment.get("SSL_CERT_FILE");
  }

  synchronized SSLContext context() throws GeneralSecurityException, IOException {
    SSLContext ready = context;
    if (ready == null) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      addJdk(trusted);
      addBundle(trusted);
      if (System.getProperty("os.name").startsWith("Mac")) {
        addKeychains(trusted);
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      ready = SSLContext.getInstance("TLS");
      ready.init(null, trust.getTrustManagers(), null);
      context = ready;
    }
    return ready;
  }

  private static void addJdk(KeyStore trusted) throws GeneralSecurityException {
    TrustManagerFactory jdk =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    jdk.init((KeyStore) null);
    for (TrustManager manager : jdk.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        for (X509Certificate certificate : x509.getAcceptedIssuers()) {
          add(trusted, certificate);
        }
      }
    }
  }

  private void addBundle(KeyStore trusted) throws GeneralSecurityException, IOException {
    List<String> places = bundle == null || bundle.isEmpty() ? BUNDLES : List.of(bundle);
    for (String place : places) {
      Path file = Path.of(place);
      if (Files.isReadable(file)) {
        try (InputStream in = Files.newInputStream(file)) {
          for (Certificate certificate :
              CertificateFactory.getInstance("X.509").generateCertificates(in)) {
            add(trusted, certificate);
          }
        }
        return;
      }
    }
    if (bundle != null && !bundle.isEmpty()) {
      throw new IOException("SSL_CERT_FILE names a file that cannot be read: " + bundle);
    }
  }

  private static void addKeychains(KeyStore trusted) throws GeneralSecurityException, IOException {
    for (String name : KEYCHAINS) {
      KeyStore keychain = KeyStore.getInstance(name);
      keychain.load(null, null);
      for (String alias : Collections.list(keychain.aliases())) {
        if (keychain.isCertificateEntry(alias)) {
          add(trusted, keychain.getCertificate(alias));
        }
      }
    }
  }

  private static void add(KeyStore trusted, Certificate certificate)
      throws GeneralSecurityException {
    trusted.setCertificateEntry(Integer.toString(trusted.size()), certificate);
  }
}
