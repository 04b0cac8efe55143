package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.datanadhi.hub.record.Digests;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads certificate and key from their PEM files.
final class TlsFiles {
  private static final Pattern KEY =
      Pattern.compile(
          "-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----([^-]*)-----END \\1-----");
  private static final byte[] RSA = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 1, 1, 1, 5, 0
  };
  private static final byte[] EC = {0x06, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1};
  private static final byte[] VERSION_0 = {2, 1, 0};
  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;
  private static final int EC_PARAMETERS = 0xA0;

  private final TlsSettings settings;

  TlsFiles(TlsSettings settings) {
    this.settings = settings;
  }

  /// A digest of both files as they are, by which a change is seen; also of one that keeps the
  /// time, as copying tools can make it.
  byte[] fingerprint() throws TlsException {
    MessageDigest sha = Digests.sha256();
    sha.update(read(settings.certificate()));
    sha.update((byte) 0);
    sha.update(read(settings.key()));
    return sha.digest();
  }

  /// A key store with the certificates and the key.
  ///
  /// @throws TlsException a file cannot be used, or they do not belong together
  KeyStore load() throws TlsException {
    Certificate[] chain = chain();
    PrivateKey key = key();
    checkPair(chain[0].getPublicKey(), key);
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry("hub", key, new char[0], chain);
      return store;
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException("The TLS certificate and key cannot be used: " + e.getMessage(), e);
    }
  }

  private Certificate[] chain() throws TlsException {
    Path file = settings.certificate();
    try {
      Collection<? extends Certificate> chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(read(file)));
      if (chain.isEmpty()) {
        throw new TlsException(
            "The TLS certificate file %s has no certificate. It must be PEM.".formatted(file));
      }
      return chain.toArray(new Certificate[0]);
    } catch (GeneralSecurityException e) {
      throw new TlsException(
          "The TLS certificate file %s cannot be read as PEM certificates: %s"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private PrivateKey key() throws TlsException {
    Path file = settings.key();
    Matcher pem = KEY.matcher(new String(read(file), US_ASCII));
    if (!pem.find()) {
      throw new TlsException(
          "The TLS key file %s has no private key. It must be PEM.".formatted(file));
    }
    try {
      byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
      return switch (pem.group(1)) {
        case "RSA PRIVATE KEY" -> decode(wrap(RSA, der));
        case "EC PRIVATE KEY" -> decode(wrap(curve(der), der));
        case "PRIVATE KEY" -> decode(der);
        default ->
            throw new TlsException(
                "The TLS key file %s is encrypted. Decrypt it, as with: openssl pkey -in %s -out plain.pem"
                    .formatted(file, file));
      };
    } catch (GeneralSecurityException | RuntimeException e) {
      throw new TlsException(
          "The TLS key file %s cannot be read as a private key: %s".formatted(file, e.getMessage()),
          e);
    }
  }

  private static PrivateKey decode(byte[] pkcs8) throws GeneralSecurityException {
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(pkcs8);
    for (String algorithm : new String[] {"RSA", "EC", "EdDSA", "RSASSA-PSS"}) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (InvalidKeySpecException e) {
        // It is a key of another algorithm.
      }
    }
    throw new InvalidKeySpecException("it is no RSA, EC or Ed25519 key");
  }

  /// PKCS #8 around a key of the older forms (RFC 5958, section 2).
  private static byte[] wrap(byte[] algorithm, byte[] key) {
    return tagged(SEQUENCE, VERSION_0, algorithm, tagged(OCTETS, key));
  }

  /// The algorithm of a SEC 1 key: its curve stands in its element `[0]` (RFC 5915, section 3).
  private static byte[] curve(byte[] der) {
    ByteBuffer in = ByteBuffer.wrap(der);
    in.get();
    length(in);
    while (in.hasRemaining()) {
      int tag = in.get() & 255;
      int length = length(in);
      if (tag == EC_PARAMETERS) {
        byte[] curve = new byte[length];
        in.get(curve);
        return tagged(SEQUENCE, EC, curve);
      }
      in.position(in.position() + length);
    }
    throw new IllegalArgumentException("it does not name its curve");
  }

  private static int length(ByteBuffer in) {
    int first = in.get() & 255;
    if (first < 128) {
      return first;
    }
    int length = 0;
    for (int i = 0; i < first - 128; i++) {
      length = length << 8 | (in.get() & 255);
    }
    return length;
  }

  private static byte[] tagged(int tag, byte[]... parts) {
    int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteBuffer out = ByteBuffer.allocate(length + 4);
    out.put((byte) tag);
    if (length < 128) {
      out.put((byte) length);
    } else if (length < 256) {
      out.put((byte) 0x81).put((byte) length);
    } else {
      out.put((byte) 0x82).putShort((short) length);
    }
    for (byte[] part : parts) {
      out.put(part);
    }
    return Arrays.copyOf(out.array(), out.position());
  }

  private void checkPair(PublicKey certified, PrivateKey key) throws TlsException {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "RSASSA-PSS" -> "RSASSA-PSS";
          default -> "EdDSA";
        };
    if (algorithm.equals("RSASSA-PSS")) {
      return;
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
      if (signer.verify(signature)) {
        return;
      }
    } catch (GeneralSecurityException e) {
      // They are of different kinds.
    }
    throw new TlsException(
        "The TLS key %s does not belong to the certificate %s."
            .formatted(settings.key(), settings.certificate()));
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
