package com.datanadhi.hub.grpc;

import com.datanadhi.hub.logging.Events;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.CertificateUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.net.ssl.KeyManager;
import org.jspecify.annotations.Nullable;

/// The certificate chain and the private key of the server, in PEM files that are read again when
/// they change. A pair that does not belong together, as while the files are being replaced, is not
/// taken: new connections get the last good one. [#turn] is for one thread.
final class TlsFiles {
  private static final byte[] PROBE = {1, 2, 3, 4};

  private final Path certificate;
  private final Path key;
  private final AdvancedTlsX509KeyManager manager = new AdvancedTlsX509KeyManager();
  private byte[] certificateText;
  private byte[] keyText;
  private @Nullable String lastProblem;

  /// @throws IOException the files cannot be read, or are not a certificate and its key
  TlsFiles(Path certificate, Path key) throws IOException {
    this.certificate = certificate;
    this.key = key;
    this.certificateText = Files.readAllBytes(certificate);
    this.keyText = Files.readAllBytes(key);
    try {
      load(certificateText, keyText);
    } catch (GeneralSecurityException unusable) {
      throw new IOException(certificate + " and " + key + ": " + unusable.getMessage(), unusable);
    }
  }

  KeyManager keyManager() {
    return manager;
  }

  /// Reads the files again if they have changed.
  void turn() {
    try {
      byte[] newCertificate = Files.readAllBytes(certificate);
      byte[] newKey = Files.readAllBytes(key);
      if (!Arrays.equals(newCertificate, certificateText) || !Arrays.equals(newKey, keyText)) {
        load(newCertificate, newKey);
        certificateText = newCertificate;
        keyText = newKey;
        Events.info("tls_certificate_loaded", "listener", "grpc", "file", certificate);
      }
      lastProblem = null;
    } catch (IOException | GeneralSecurityException unusable) {
      String problem = String.valueOf(unusable.getMessage());
      if (!problem.equals(lastProblem)) {
        Events.warning(
            "tls_certificate_unusable", "listener", "grpc", "file", certificate, "reason", problem);
        lastProblem = problem;
      }
    }
  }

  private void load(byte[] certificateText, byte[] keyText)
      throws IOException, GeneralSecurityException {
    X509Certificate[] chain =
        CertificateUtils.getX509Certificates(new ByteArrayInputStream(certificateText));
    if (chain.length == 0) {
      throw new GeneralSecurityException("there is no certificate");
    }
    PrivateKey privateKey = CertificateUtils.getPrivateKey(new ByteArrayInputStream(keyText));
    checkPair(chain[0], privateKey);
    manager.updateIdentityCredentials(chain, privateKey);
  }

  private static void checkPair(X509Certificate certificate, PrivateKey key)
      throws GeneralSecurityException {
    String algorithm = key.getAlgorithm();
    Signature signature =
        Signature.getInstance(
            switch (algorithm) {
              case "RSA" -> "SHA256withRSA";
              case "EC" -> "SHA256withECDSA";
              default -> algorithm;
            });
    signature.initSign(key);
    signature.update(PROBE);
    byte[] signed = signature.sign();
    signature.initVerify(certificate.getPublicKey());
    signature.update(PROBE);
    if (!signature.verify(signed)) {
      throw new GeneralSecurityException("the key does not belong to the certificate");
    }
  }
}
