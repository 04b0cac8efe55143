package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.files.InterProcessLock;
import com.datanadhi.sdk.internal.files.PrivateFiles;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
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
 * Gets the program, once for all threads and processes that share a directory. It has its name only
 * when it is complete, checked and executable.
 */
final class Downloader {
  private static final Duration OTHERS = Duration.ofMinutes(15);
  private static final Duration SMALL = Duration.ofSeconds(10);
  private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final String UNFINISHED = ".echopost-download-";

  private final HttpClient client;
  private final URI base;
  private final Duration stall;
  private final RateLimitedLog notices;

  /**
   * @param client follows redirects, and knows the proxies
   * @param stall how long nothing may come before it is given up
   */
  Downloader(HttpClient client, URI base, Duration stall, RateLimitedLog notices) {
    this.client = client;
    this.base = base;
    this.stall = stall;
    this.notices = notices;
  }

  /** Returns when the program is there, or cannot be had. Takes as long as the network does. */
  DownloadResult ensure(DirectoryLayout layout, Platform platform) throws InterruptedException {
    if (Files.exists(layout.program())) {
      return new DownloadResult.Present();
    }
    URI url = URI.create(base + "/" + platform.os() + "/" + platform.arch() + "/echopost-latest");
    try {
      PrivateFiles.directory(layout.directory());
      return InterProcessLock.guarded(layout.downloadLock(), OTHERS, () -> locked(layout, url));
    } catch (TimeoutException stuck) {
      return new DownloadResult.NetworkError("another process has been downloading it for 15 min");
    } catch (IOException | InterProcessLock.Failed unwritable) {
      return new DownloadResult.WriteError(unwritable.toString());
    }
  }

  private DownloadResult locked(DirectoryLayout layout, URI url) throws InterruptedException {
    if (Files.exists(layout.program())) {
      return new DownloadResult.Present();
    }
    try {
      removeUnfinished(layout.directory());
      Path unfinished = Files.createTempFile(layout.directory(), UNFINISHED, ".tmp");
      try {
        return fetch(url, unfinished, layout.program());
      } finally {
        Files.deleteIfExists(unfinished);
      }
    } catch (IOException unwritable) {
      return new DownloadResult.WriteError(unwritable.toString());
    }
  }

  private DownloadResult fetch(URI url, Path unfinished, Path program)
      throws IOException, InterruptedException {
    notices.say(Level.INFO, "Downloading EchoPost from " + url);
    try (ReceivedFile sink = new ReceivedFile(unfinished)) {
      int status = get(url, sink);
      if (status != 200) {
        return new DownloadResult.BadAnswer(url.toString(), status);
      }
      if (sink.failure != null) {
        return new DownloadResult.WriteError(sink.failure.toString());
      }
      // A name for what a power loss could still take would be in the way of every later download.
      sink.sync();
      String expected = expected(url);
      String got = sink.digest();
      if (!expected.isEmpty() && !expected.equals(got)) {
        return new DownloadResult.WrongContent(url.toString(), expected, got);
      }
    } catch (NetworkException failed) {
      return new DownloadResult.NetworkError(failed.getMessage() + " (" + url + ")");
    }
    Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(unfinished, program, StandardCopyOption.ATOMIC_MOVE);
    notices.say(Level.INFO, "EchoPost is in " + program);
    warmUp(program);
    return new DownloadResult.Present();
  }

  /** Its first run unpacks its runtime: now, and not while records wait for an agent. */
  private static void warmUp(Path program) throws InterruptedException {
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
      // Its start will say so, when it is needed.
    }
  }

  /** The body goes to {@code sink} if the status is 200. */
  private int get(URI url, ReceivedFile sink) throws NetworkException, InterruptedException {
    CompletableFuture<HttpResponse<Void>> answer =
        client.sendAsync(
            HttpRequest.newBuilder(url).build(),
            head -> {
              sink.begins(head.headers().firstValueAsLong("Content-Length").orElse(-1));
              return head.statusCode() == 200
                  ? BodySubscribers.ofByteArrayConsumer(part -> part.ifPresent(sink::take))
                  : BodySubscribers.replacing(null);
            });
    try {
      while (true) {
        try {
          return answer.get(Math.min(200, stall.toMillis()), TimeUnit.MILLISECONDS).statusCode();
        } catch (TimeoutException running) {
          if (sink.nanosSinceLast() > stall.toNanos()) {
            throw new NetworkException("nothing came for " + stall.toSeconds() + " s");
          }
          sink.reportAtTimes(notices);
        }
      }
    } catch (ExecutionException failed) {
      throw new NetworkException(String.valueOf(failed.getCause()));
    } finally {
      boolean unused = answer.cancel(true);
    }
  }

  /** What the server's {@code .sha256} says; empty where there is none. */
  private String expected(URI url) throws NetworkException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + ".sha256")).timeout(SMALL).build();
    try {
      HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
      if (answer.statusCode() == 404 || answer.statusCode() == 403 || answer.statusCode() == 410) {
        return "";
      }
      // As sha256sum prints it: the sum, blanks, a name.
      String sum = answer.body().strip().split("\\s", 2)[0].toLowerCase(Locale.ROOT);
      if (answer.statusCode() != 200 || !sum.matches("[0-9a-f]{64}")) {
        throw new NetworkException("no checksum, but status " + answer.statusCode());
      }
      return sum;
    } catch (IOException failed) {
      throw new NetworkException(failed + " for the checksum");
    }
  }

  /** Of processes that died; with the lock, nobody else is downloading. */
  private static void removeUnfinished(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      for (Path file : (Iterable<Path>) all::iterator) {
        if (file.getFileName().toString().startsWith(UNFINISHED)) {
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

  /** The file, while it comes. Written by one thread of the client, watched by ours. */
  private static final class ReceivedFile implements AutoCloseable {
    private final FileOutputStream file;
    private final MessageDigest digest;
    private volatile long total = -1;
    private volatile long taken;
    private volatile long last = System.nanoTime();
    private long reported = System.nanoTime();
    private volatile @org.jspecify.annotations.Nullable IOException failure;

    ReceivedFile(Path path) throws IOException {
      file = new FileOutputStream(path.toFile());
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException impossible) {
        throw new IOException(impossible);
      }
    }

    void begins(long length) {
      total = length;
      last = System.nanoTime();
    }

    synchronized void take(byte[] part) {
      if (failure != null) {
        return;
      }
      try {
        file.write(part);
        digest.update(part);
        taken += part.length;
        last = System.nanoTime();
      } catch (IOException full) {
        failure = full;
      }
    }

    long nanosSinceLast() {
      return System.nanoTime() - last;
    }

    void reportAtTimes(RateLimitedLog notices) {
      if (System.nanoTime() - reported > PROGRESS_NANOS) {
        reported = System.nanoTime();
        notices.say(
            Level.INFO,
            "Downloading EchoPost: %d KiB of %s"
                .formatted(taken >> 10, total < 0 ? "?" : (total >> 10) + " KiB"));
      }
    }

    void sync() throws IOException {
      file.getFD().sync();
    }

    synchronized String digest() {
      return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
