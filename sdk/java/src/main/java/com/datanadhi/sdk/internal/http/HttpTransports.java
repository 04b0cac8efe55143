package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.DataNadhiConfiguration;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;

/**
 * Sends requests with the JDK's HTTP client, or with its older one to servers whose names the newer
 * one refuses. Thread-safe.
 */
public final class HttpTransports implements AutoCloseable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final HttpTransport usual;
  private final HttpTransport ofOtherNames;

  /**
   * Makes both, with the proxies and certificates of the configuration.
   *
   * @param followsRedirects of GET requests, except from https to http
   * @param threads for the exchanges
   * @throws IllegalStateException if the certificates cannot be read
   */
  public HttpTransports(
      DataNadhiConfiguration configuration, boolean followsRedirects, Executor threads) {
    Proxies proxies = proxies(configuration);
    SSLContext tls = tls(configuration);
    this.usual =
        new JdkTransport(
            () ->
                HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(
                        followsRedirects ? HttpClient.Redirect.NORMAL : HttpClient.Redirect.NEVER)
                    .connectTimeout(CONNECT_TIMEOUT)
                    .proxy(proxies.asSelector())
                    .sslContext(tls)
                    .executor(orHere(threads))
                    .build(),
            proxies);
    this.ofOtherNames =
        new UrlConnectionTransport(proxies, tls, followsRedirects, CONNECT_TIMEOUT, threads);
  }

  /**
   * Runs on the calling thread what there is no memory for a thread for. An error would end the
   * client's selector thread, and no request would ever be answered again. What the client runs
   * takes no time.
   */
  private static Executor orHere(Executor threads) {
    return work -> {
      try {
        threads.execute(work);
      } catch (OutOfMemoryError noThread) {
        work.run();
      }
    };
  }

  /** The proxies for a client with this configuration. */
  public static Proxies proxies(DataNadhiConfiguration configuration) {
    return new Proxies(
        configuration.proxy(), configuration.noProxy(), System.getenv(), System::getProperty);
  }

  private static SSLContext tls(DataNadhiConfiguration configuration) {
    try {
      Optional<SSLContext> given = configuration.sslContext();
      if (given.isPresent()) {
        return given.get();
      }
      Optional<Path> file = configuration.caFile();
      return file.isPresent() ? TrustedCertificates.context(file.get()) : SSLContext.getDefault();
    } catch (GeneralSecurityException | IOException unusable) {
      throw new IllegalStateException("the certificates for TLS cannot be used", unusable);
    }
  }

  /** What sends requests to the server of {@code url}. */
  public HttpTransport to(URI url) {
    // Null for a name with an underscore, for example.
    return url.getHost() == null ? ofOtherNames : usual;
  }

  @Override
  public void close() {
    usual.close();
    ofOtherNames.close();
  }
}
