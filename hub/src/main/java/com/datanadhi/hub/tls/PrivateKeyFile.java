package com.datanadhi.hub.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads a private key in PEM: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC).
final class PrivateKeyFile {
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

  private PrivateKeyFile() {}

  /// The first private key in `text`, the content of `file`.
  ///
  /// @throws TlsException there is none that can be used
  static PrivateKey parse(Path file, byte[] text) throws TlsException {
    Matcher pem = KEY.matcher(new String(text, US_ASCII));
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
}
