package com.datanadhi.echopost.upstream;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// The certificate authorities that TLS connections trust: the system's and the JDK's.
///
/// The system's are those in the file that `SSL_CERT_FILE` names, else in the first bundle found at
/// the paths that Linux distributions use (the list of Go's `crypto/x509`, root_linux.go), those in
/// the directories that `SSL_CERT_DIR` names, and on macOS those of the keychain. They are read
/// once, at the first connection; if that fails, again at the next. Thread-safe.
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

  private final String bundle;
  private final String directories;
  private @Nullable SSLContext context;

  /// @param environment the environment variables, of which `SSL_CERT_FILE` and `SSL_CERT_DIR` are
  ///   read
  public TrustStore(Map<String, String> environment) {
    this.bundle = environment.getOrDefault("SSL_CERT_FILE", "");
    this.directories = environment.getOrDefault("SSL_CERT_DIR", "");
  }

  /// @throws IOException when the certificates cannot be read; the message names the file
  synchronized SSLContext context() throws GeneralSecurityException, IOException {
    SSLContext ready = context;
    if (ready == null) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      addJdk(trusted);
      addBundle(trusted);
      for (String directory : directories.split(":", -1)) {
        addDirectory(trusted, directory);
      }
      if (System.getProperty("os.name").startsWith("Mac")) {
        addKeychains(trusted);
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      ready = SSLContext.getInstance("TLS");
      TrustManager[] managers = trust.getTrustManagers();
      for (int i = 0; i < managers.length; i++) {
        if (managers[i] instanceof X509ExtendedTrustManager authorities) {
          managers[i] = new UnderscoreNames(authorities);
        }
      }
      ready.init(null, managers, null);
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
    if (!bundle.isEmpty()) {
      addFile(trusted, Path.of(bundle), "SSL_CERT_FILE names " + bundle);
      return;
    }
    for (String place : BUNDLES) {
      Path file = Path.of(place);
      if (Files.isReadable(file)) {
        addFile(trusted, file, "the system's certificates are in " + place);
        return;
      }
    }
  }

  /// Adds what a directory has, as Go does: it may be missing, and may have other files.
  private static void addDirectory(KeyStore trusted, String directory)
      throws GeneralSecurityException, IOException {
    if (directory.isEmpty() || !Files.isDirectory(Path.of(directory))) {
      return;
    }
    List<Path> files;
    try (Stream<Path> listed = Files.list(Path.of(directory))) {
      files = listed.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      try {
        addFile(trusted, file, file.toString());
      } catch (IOException notCertificates) {
        // A README, or a certificate that others may read: a server that needs it will not be
        // trusted, and the log says so.
      }
    }
  }

  /// @param source where the name of the file is from, for the message
  private static void addFile(KeyStore trusted, Path file, String source)
      throws GeneralSecurityException, IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(source + ", which is a directory: name a file of certificates (PEM)");
    }
    Collection<? extends Certificate> certificates;
    try (InputStream in = Files.newInputStream(file)) {
      certificates = CertificateFactory.getInstance("X.509").generateCertificates(in);
    } catch (NoSuchFileException missing) {
      throw new IOException(source + ", which does not exist", missing);
    } catch (IOException unreadable) {
      throw new IOException(source + ", which cannot be read", unreadable);
    } catch (CertificateException malformed) {
      throw new IOException(source + ", which is not a file of certificates (PEM)", malformed);
    }
    if (certificates.isEmpty()) {
      throw new IOException(source + ", which contains no certificate");
    }
    for (Certificate certificate : certificates) {
      add(trusted, certificate);
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
