package com.datanadhi.sdk.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** A certificate authority for tests, in a directory: made by the JDK's keytool. */
public final class Certificates {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final String AUTHORITY = "authority";

  private final Path store;
  private final Path authority;

  /** Creates the authority. */
  public Certificates(Path directory) throws IOException, InterruptedException {
    store = directory.resolve("certificates.p12");
    authority = directory.resolve("authority.pem");
    keytool(List.of("-genkeypair", "-dname", "CN=Test authority", "-ext", "bc:c"), AUTHORITY);
    keytool(List.of("-exportcert", "-rfc", "-file", authority.toString()), AUTHORITY);
  }

  /** The authority's certificate, as PEM. */
  public Path authority() {
    return authority;
  }

  /** A server's TLS with a certificate for {@code host}, a DNS name of less than 100 characters. */
  public SSLContext server(String host)
      throws IOException, InterruptedException, GeneralSecurityException {
    // In DER, since keytool knows no names with an underscore.
    byte[] name = host.getBytes(StandardCharsets.US_ASCII);
    String names =
        "30%02x82%02x%s".formatted(name.length + 2, name.length, HexFormat.of().formatHex(name));
    keytool(
        List.of(
            "-genkeypair",
            "-dname",
            "CN=server",
            "-ext",
            "2.5.29.17=" + names,
            "-signer",
            AUTHORITY),
        host);
    KeyStore all = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      all.load(in, PASSWORD);
    }
    KeyStore one = KeyStore.getInstance("PKCS12");
    one.load(null, null);
    one.setKeyEntry("key", all.getKey(host, PASSWORD), PASSWORD, all.getCertificateChain(host));
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(one, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  private void keytool(List<String> arguments, String alias)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
    command.addAll(arguments);
    command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-alias", alias));
    command.addAll(List.of("-storepass", new String(PASSWORD)));
    if (arguments.contains("-genkeypair")) {
      command.addAll(List.of("-keyalg", "EC", "-validity", "9999"));
    }
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (keytool.waitFor() != 0) {
      throw new IllegalStateException(output);
    }
  }
}
