package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.DataNadhiConfiguration;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests with the JDK's HTTP client, or with its older one to servers whose names the newer
 * one refuses. Thread-safe.
 */
public final class HttpTransports implements AutoCloseable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final Proxies proxies;
  private final SSLContext tls;
  private final Executor threads;
  private final HttpTransport usual;
  private final HttpTransport ofOtherNames;
  private final Downloads downloads = new Downloads();

  /**
   * Makes both, with the proxies and certificates of the configuration.
   *
   * @param threads for the exchanges
   * @throws IllegalStateException if the certificates cannot be read
   */
  public HttpTransports(DataNadhiConfiguration configuration, Executor threads) {
    this.proxies = proxies(configuration);
    this.tls = tls(configuration);
    this.threads = threads;
    this.ofOtherNames = makeOfOtherNames(false);
    this.usual = makeUsual(false);
  }

  private HttpTransport makeUsual(boolean followsRedirects) {
    return new JdkTransport(
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
  }

  private HttpTransport makeOfOtherNames(boolean followsRedirects) {
    return new UrlConnectionTransport(proxies, tls, followsRedirects, CONNECT_TIMEOUT, threads);
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

  /** What sends requests to the server of {@code url}; it does not follow redirects. */
  public HttpTransport to(URI url) {
    return hasUsualName(url) ? usual : ofOtherNames;
  }

  private static boolean hasUsualName(URI url) {
    // Null for a name with an underscore, for example.
    return url.getHost() != null;
  }

  /**
   * What downloads from one server. It follows redirects, except from https to http. Its client is
   * made by the first request: most processes download nothing.
   */
  public HttpTransport downloads() {
    return downloads;
  }

  @Override
  public void close() {
    usual.close();
    ofOtherNames.close();
    downloads.close();
  }

  private final class Downloads implements HttpTransport {
    private @Nullable HttpTransport made;
    private boolean closed;

    @Override
    public <T> CompletableFuture<Answer<T>> send(Call call, HttpResponse.BodyHandler<T> handler) {
      return to(call.url()).send(call, handler);
    }

    private synchronized HttpTransport to(URI url) {
      if (closed) {
        throw new RejectedExecutionException("the client is closed");
      }
      HttpTransport known = made;
      if (known == null) {
        known = hasUsualName(url) ? makeUsual(true) : makeOfOtherNames(true);
        made = known;
      }
      return known;
    }

    @Override
    public synchronized void close() {
      closed = true;
      if (made != null) {
        made.close();
      }
    }
  }
}
