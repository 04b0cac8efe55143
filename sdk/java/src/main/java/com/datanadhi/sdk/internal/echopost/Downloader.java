package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.files.InterProcessLock;
import com.datanadhi.sdk.internal.files.PrivateFiles;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * Downloads the program, once for all threads and processes that share a directory. The program
 * gets its final name only when it is complete, its checksum is right and it is executable.
 * Thread-safe.
 */
final class Downloader {
  private static final Duration LOCK_TIMEOUT = Duration.ofMinutes(15);
  private static final Duration CHECKSUM_TIMEOUT = Duration.ofSeconds(10);
  private static final long PROGRESS_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final String TEMPORARY_PREFIX = ".echopost-download-";

  private final HttpClient client;
  private final URI baseUrl;
  private final Duration stallTimeout;
  private final RateLimitedLog log;
  private final Clock clock;
  private final Waiter waiter;

  /**
   * @param client must follow redirects and use the configured proxies
   * @param stallTimeout how long a download may receive no data
   */
  Downloader(
      HttpClient client,
      URI baseUrl,
      Duration stallTimeout,
      RateLimitedLog log,
      Clock clock,
      Waiter waiter) {
    this.client = client;
    this.baseUrl = baseUrl;
    this.stallTimeout = stallTimeout;
    this.log = log;
    this.clock = clock;
    this.waiter = waiter;
  }

  /**
   * Downloads the program unless it is there. Returns when it is there or the download has failed;
   * there is no limit on the time, except for a download that stalls.
   */
  DownloadResult ensurePresent(DirectoryLayout layout, Platform platform)
      throws InterruptedException {
    if (Files.exists(layout.program())) {
      return new DownloadResult.Present();
    }
    URI url =
        URI.create(baseUrl + "/" + platform.os() + "/" + platform.arch() + "/echopost-latest");
    try {
      PrivateFiles.createDirectories(layout.directory());
      return new InterProcessLock(layout.downloadLock(), clock, waiter)
          .withLock(LOCK_TIMEOUT, () -> downloadLocked(layout, url));
    } catch (TimeoutException lockedTooLong) {
      return new DownloadResult.NetworkError("another process has tried to download it for 15 min");
    } catch (IOException | InterProcessLock.ActionFailedException failed) {
      return new DownloadResult.WriteError(failed.toString());
    }
  }

  private DownloadResult downloadLocked(DirectoryLayout layout, URI url)
      throws InterruptedException {
    if (Files.exists(layout.program())) {
      return new DownloadResult.Present();
    }
    try {
      deleteTemporaryFiles(layout.directory());
      Path temporary = Files.createTempFile(layout.directory(), TEMPORARY_PREFIX, ".tmp");
      try {
        return download(url, temporary, layout.program());
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException failed) {
      return new DownloadResult.WriteError(failed.toString());
    }
  }

  private DownloadResult download(URI url, Path temporary, Path program)
      throws IOException, InterruptedException {
    log.log(Level.INFO, "Downloading EchoPost from " + url);
    try (ReceivedFile received = new ReceivedFile(temporary)) {
      int status = fetch(url, received);
      if (status != 200) {
        return new DownloadResult.UnexpectedStatus(url.toString(), status);
      }
      if (received.failure != null) {
        return new DownloadResult.WriteError(received.failure.toString());
      }
      // After a power loss the final name must not belong to an incomplete file: it would keep the
      // SDK from downloading the program again.
      received.sync();
      String expected = fetchChecksum(url);
      String actual = received.checksum();
      if (!expected.isEmpty() && !expected.equals(actual)) {
        return new DownloadResult.ChecksumMismatch(url.toString(), expected, actual);
      }
    } catch (NetworkException failed) {
      return new DownloadResult.NetworkError(failed.getMessage() + " (" + url + ")");
    }
    Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(temporary, program, StandardCopyOption.ATOMIC_MOVE);
    log.log(Level.INFO, "EchoPost is installed as " + program);
    runOnce(program);
    return new DownloadResult.Present();
  }

  /**
   * The first run unpacks the program's runtime: better now than when records wait for an agent.
   */
  private static void runOnce(Path program) throws InterruptedException {
    try {
      Process version =
          new ProcessBuilder(program.toString(), "-version")
              .redirectInput(Redirect.from(new File("/dev/null")))
              .redirectOutput(Redirect.DISCARD)
              .redirectError(Redirect.DISCARD)
              .start();
      if (!version.waitFor(1, TimeUnit.MINUTES)) {
        version.destroyForcibly();
      }
    } catch (IOException cannotRun) {
      // Reported when an agent is started.
    }
  }

  /** Writes the response body to {@code received} if the status is 200; returns the status. */
  private int fetch(URI url, ReceivedFile received) throws NetworkException, InterruptedException {
    CompletableFuture<HttpResponse<Void>> response =
        client.sendAsync(
            HttpRequest.newBuilder(url).build(),
            head -> {
              received.begin(head.headers().firstValueAsLong("Content-Length").orElse(-1));
              return head.statusCode() == 200
                  ? BodySubscribers.ofByteArrayConsumer(part -> part.ifPresent(received::write))
                  : BodySubscribers.replacing(null);
            });
    try {
      while (true) {
        try {
          return response
              .get(Math.min(200, stallTimeout.toMillis()), TimeUnit.MILLISECONDS)
              .statusCode();
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
  private String fetchChecksum(URI url) throws NetworkException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + ".sha256")).timeout(CHECKSUM_TIMEOUT).build();
    try {
      HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
      int status = response.statusCode();
      if (status == 404 || status == 403 || status == 410) {
        return "";
      }
      // The format of sha256sum: checksum, spaces, file name.
      String checksum = response.body().strip().split("\\s", 2)[0].toLowerCase(Locale.ROOT);
      if (status != 200 || !checksum.matches("[0-9a-f]{64}")) {
        throw new NetworkException("no valid checksum in the .sha256 file, status " + status);
      }
      return checksum;
    } catch (IOException failed) {
      throw new NetworkException("the .sha256 file cannot be downloaded: " + failed);
    }
  }

  /** Deletes the files of processes that were killed: the lock excludes other downloads. */
  private static void deleteTemporaryFiles(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      for (Path file : (Iterable<Path>) all::iterator) {
        if (file.getFileName().toString().startsWith(TEMPORARY_PREFIX)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static final class NetworkException extends Exception {
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
