package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/// A certificate authority for tests, in a directory: made by the JDK's keytool.
public final class Certificates {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final String AUTHORITY = "authority";

  private final Path store;
  private final Path authority;
  private int count;

  /// Creates the authority.
  public Certificates(Path directory) throws IOException, InterruptedException {
    store = directory.resolve("certificates.p12");
    authority = directory.resolve("authority.pem");
    keytool(
        List.of("-genkeypair", "-dname", "CN=Test authority", "-ext", "bc:c", "-validity", "9999"),
        AUTHORITY);
    keytool(List.of("-exportcert", "-rfc", "-file", authority.toString()), AUTHORITY);
  }

  /// The authority's certificate, as PEM.
  public Path authority() {
    return authority;
  }

  /// A server's TLS with a certificate for `host`.
  ///
  /// @param start when it becomes valid, for keytool, as in -2d
  /// @param days how long it is valid
  public SSLContext server(String host, String start, int days)
      throws IOException, InterruptedException, GeneralSecurityException {
    String alias = "server" + count++;
    keytool(
        List.of(
            "-genkeypair",
            "-dname",
            "CN=" + host,
            "-ext",
            "san=dns:" + host,
            "-startdate",
            start,
            "-validity",
            Integer.toString(days),
            "-signer",
            AUTHORITY),
        alias);
    return context(alias);
  }

  /// A server's TLS with a certificate for `host` that no authority signed, as `openssl req -x509`
  /// makes it.
  public SSLContext selfSigned(String host)
      throws IOException, InterruptedException, GeneralSecurityException {
    String alias = "server" + count++;
    keytool(
        List.of("-genkeypair", "-dname", "CN=" + host, "-ext", "bc:c", "-ext", "san=dns:" + host),
        alias);
    return context(alias);
  }

  private SSLContext context(String alias) throws IOException, GeneralSecurityException {
    KeyStore all = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      all.load(in, PASSWORD);
    }
    KeyStore one = KeyStore.getInstance("PKCS12");
    one.load(null, null);
    one.setKeyEntry(alias, all.getKey(alias, PASSWORD), PASSWORD, all.getCertificateChain(alias));
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(one, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  private void keytool(List<String> arguments, String alias)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(arguments);
    command.addAll(
        List.of("-alias", alias, "-storepass", "changeit", "-keystore", store.toString()));
    if (arguments.contains("-genkeypair")) {
      command.addAll(List.of("-keyalg", "EC"));
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(output);
    }
  }
}
