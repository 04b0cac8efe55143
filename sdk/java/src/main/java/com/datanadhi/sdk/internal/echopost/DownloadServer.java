package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.http.HttpTransport;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.Clock;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The HTTP server that has the program, and perhaps its checksum. Thread-safe. */
final class DownloadServer {
  private static final Duration CHECKSUM_TIMEOUT = Duration.ofSeconds(10);
  private static final long PROGRESS_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final HttpTransport transport;
  private final Duration stallTimeout;
  private final RateLimitedLog log;
  private final Clock clock;

  /**
   * @param transport must follow redirects
   * @param stallTimeout how long a download may receive no data
   */
  DownloadServer(HttpTransport transport, Duration stallTimeout, RateLimitedLog log, Clock clock) {
    this.transport = transport;
    this.stallTimeout = stallTimeout;
    this.log = log;
    this.clock = clock;
  }

  /**
   * An answer of the server.
   *
   * @param lastModified the header of that name; empty if there is none
   * @param sha256 the checksum of what was received, which is the whole file if the status is 200
   */
  record Answer(int status, String lastModified, String sha256) {}

  /**
   * Downloads a file. If the status is 200, it is on stable storage as {@code target}: after a
   * power loss the final name must not belong to an incomplete file.
   *
   * @param notModifiedSince the {@code lastModified} of an earlier answer, so that the server can
   *     answer 304; empty for none
   * @throws IOException if the file cannot be written
   */
  Answer download(URI url, String notModifiedSince, Path target)
      throws IOException, NetworkException, InterruptedException {
    try (ReceivedFile received = new ReceivedFile(target)) {
      HttpTransport.Answer<Void> response = fetch(url, notModifiedSince, received);
      if (received.failure != null) {
        throw received.failure;
      }
      received.sync();
      return new Answer(
          response.status(),
          response.headers().firstValue("Last-Modified").orElse(""),
          received.checksum());
    }
  }

  /** Writes the response body to {@code received} if the status is 200. */
  private HttpTransport.Answer<Void> fetch(URI url, String notModifiedSince, ReceivedFile received)
      throws NetworkException, InterruptedException {
    Map<String, String> headers =
        notModifiedSince.isEmpty() ? Map.of() : Map.of("If-Modified-Since", notModifiedSince);
    CompletableFuture<HttpTransport.Answer<Void>> response =
        transport.send(
            HttpTransport.Call.get(url, headers),
            head -> {
              received.begin(head.headers().firstValueAsLong("Content-Length").orElse(-1));
              return head.statusCode() == 200
                  ? BodySubscribers.ofByteArrayConsumer(part -> part.ifPresent(received::write))
                  : BodySubscribers.replacing(null);
            });
    try {
      while (true) {
        try {
          return response.get(Math.min(200, stallTimeout.toMillis()), TimeUnit.MILLISECONDS);
        } catch (TimeoutException notComplete) {
          if (received.nanosSinceData() > stallTimeout.toNanos()) {
            throw new NetworkException("no data for " + stallTimeout.toSeconds() + " s");
          }
          received.logProgress();
        }
      }
    } catch (ExecutionException failed) {
      throw new NetworkException(String.valueOf(failed.getCause()));
    } finally {
      boolean unused = response.cancel(true);
    }
  }

  /** The checksum in the server's {@code .sha256} file; empty if there is no such file. */
  String fetchChecksum(URI url) throws NetworkException, InterruptedException {
    CompletableFuture<HttpTransport.Answer<String>> sent =
        transport.send(
            HttpTransport.Call.get(URI.create(url + ".sha256"), Map.of()), BodyHandlers.ofString());
    try {
      HttpTransport.Answer<String> response =
          sent.get(CHECKSUM_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      int status = response.status();
      if (status == 404 || status == 403 || status == 410) {
        return "";
      }
      // The format of sha256sum: checksum, spaces, file name.
      String checksum = response.body().strip().split("\\s", 2)[0].toLowerCase(Locale.ROOT);
      if (status != 200 || !checksum.matches("[0-9a-f]{64}")) {
        throw new NetworkException("no valid checksum in the .sha256 file, status " + status);
      }
      return checksum;
    } catch (TimeoutException late) {
      throw new NetworkException("no .sha256 file within " + CHECKSUM_TIMEOUT.toSeconds() + " s");
    } catch (ExecutionException failed) {
      throw new NetworkException("the .sha256 file cannot be downloaded: " + failed.getCause());
    } finally {
      boolean unused = sent.cancel(true);
    }
  }

  /** The connection failed or broke, or no data came in time. */
  static final class NetworkException extends Exception {
    private static final long serialVersionUID = 1;

    NetworkException(String message) {
      super(message);
    }
  }

  /**
   * The file that is being downloaded. A thread of the HTTP client writes it, while the downloading
   * thread watches its progress.
   */
  private final class ReceivedFile implements AutoCloseable {
    private final FileOutputStream file;
    private final MessageDigest digest;
    private volatile long expectedBytes = -1;
    private volatile long receivedBytes;
    private volatile long lastDataAt = clock.nanos();
    private long lastProgressAt = clock.nanos();
    private volatile @org.jspecify.annotations.Nullable IOException failure;

    ReceivedFile(Path path) throws IOException {
      file = new FileOutputStream(path.toFile());
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException impossible) {
        throw new IOException(impossible);
      }
    }

    /** The response headers have arrived; {@code length} is -1 if they do not contain it. */
    void begin(long length) {
      expectedBytes = length;
      lastDataAt = clock.nanos();
    }

    synchronized void write(byte[] part) {
      if (failure != null) {
        return;
      }
      try {
        file.write(part);
        digest.update(part);
        receivedBytes += part.length;
        lastDataAt = clock.nanos();
      } catch (IOException failed) {
        failure = failed;
      }
    }

    long nanosSinceData() {
      return clock.nanos() - lastDataAt;
    }

    /** Logs the progress every 5 s. */
    void logProgress() {
      if (clock.nanos() - lastProgressAt > PROGRESS_INTERVAL_NANOS) {
        lastProgressAt = clock.nanos();
        log.log(
            Level.INFO,
            "Downloading EchoPost: %d KiB of %s"
                .formatted(
                    receivedBytes >> 10, expectedBytes < 0 ? "?" : (expectedBytes >> 10) + " KiB"));
      }
    }

    void sync() throws IOException {
      file.getFD().sync();
    }

    synchronized String checksum() {
      return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
