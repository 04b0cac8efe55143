package com.datanadhi.hub.tls;

import com.datanadhi.hub.logging.Events;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/// The certificates and the private key of a listener, in PEM files that are read again when they
/// change. A pair that cannot be used, as while the files are being replaced, leaves the last good
/// one in use. [#turn] is for one thread.
public final class TlsFiles {
  /// Takes certificates and their key into use for new connections.
  @FunctionalInterface
  public interface Use {
    void use(X509Certificate[] chain, PrivateKey key) throws Exception;
  }

  private final TlsSettings settings;
  private final String listener;
  private final Use use;
  private Texts used;
  private @Nullable String lastProblem;

  /// The contents of the two files.
  @SuppressWarnings("ArrayRecordComponent") // compared by isSame
  private record Texts(byte[] certificate, byte[] key) {
    boolean isSame(Texts other) {
      return Arrays.equals(certificate, other.certificate) && Arrays.equals(key, other.key);
    }
  }

  /// Reads the files and takes them into use.
  ///
  /// @param listener its name in events
  /// @throws TlsException a file cannot be used, or they do not belong together
  public TlsFiles(TlsSettings settings, String listener, Use use) throws TlsException {
    this.settings = settings;
    this.listener = listener;
    this.use = use;
    this.used = read();
    take(used);
  }

  /// Takes the files into use if they have changed. The content decides, as copying tools can keep
  /// the time of a file.
  public void turn() {
    try {
      Texts found = read();
      if (!found.isSame(used)) {
        take(found);
        used = found;
        Events.info("tls_files_reloaded", "listener", listener);
      }
      lastProblem = null;
    } catch (TlsException unusable) {
      String problem = String.valueOf(unusable.getMessage());
      if (!problem.equals(lastProblem)) {
        Events.warning("tls_files_refused", "listener", listener, "reason", problem);
        lastProblem = problem;
      }
    }
  }

  private Texts read() throws TlsException {
    return new Texts(read(settings.certificate()), read(settings.key()));
  }

  private void take(Texts texts) throws TlsException {
    X509Certificate[] chain = chain(texts.certificate());
    PrivateKey key = PrivateKeyFile.parse(settings.key(), texts.key());
    if (!isPair(chain[0].getPublicKey(), key)) {
      throw new TlsException(
          "The TLS files %s and %s cannot be used: the key does not belong to the certificate."
              .formatted(settings.certificate(), settings.key()));
    }
    try {
      use.use(chain, key);
    } catch (Exception e) {
      throw new TlsException(
          "The TLS files %s and %s cannot be used: %s"
              .formatted(settings.certificate(), settings.key(), e.getMessage()),
          e);
    }
  }

  private X509Certificate[] chain(byte[] text) throws TlsException {
    Path file = settings.certificate();
    try {
      Collection<?> chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(text));
      if (chain.isEmpty()) {
        throw new TlsException(
            "The TLS certificate file %s has no certificate. It must be PEM.".formatted(file));
      }
      return chain.toArray(new X509Certificate[0]);
    } catch (GeneralSecurityException e) {
      throw new TlsException(
          "The TLS certificate file %s cannot be read as PEM certificates: %s"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private static boolean isPair(PublicKey certified, PrivateKey key) {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "RSASSA-PSS" -> "RSASSA-PSS";
          default -> "EdDSA";
        };
    if (algorithm.equals("RSASSA-PSS")) {
      return true;
    }
    try {
      byte[] sample = new byte[32];
      new SecureRandom().nextBytes(sample);
      Signature signer = Signature.getInstance(algorithm);
      signer.initSign(key);
      signer.update(sample);
      byte[] signature = signer.sign();
      signer.initVerify(certified);
      signer.update(sample);
      return signer.verify(signature);
    } catch (GeneralSecurityException ofDifferentKinds) {
      return false;
    }
  }

  private static byte[] read(Path file) throws TlsException {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new TlsException("The TLS file %s does not exist.".formatted(file), e);
    } catch (IOException e) {
      throw new TlsException("The TLS file %s cannot be read: %s".formatted(file, e), e);
    }
  }
}
