package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.echopost.DownloadServer.NetworkException;
import com.datanadhi.sdk.internal.files.InterProcessLock;
import com.datanadhi.sdk.internal.files.PrivateFiles;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.module.ModuleDescriptor.Version;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * Downloads the program and newer versions of it, once for all threads and processes that share a
 * directory. A file gets the program's name only when it is complete, its checksum is right, and it
 * has answered as EchoPost does. If the server has no checksum, the file is not run before its
 * content has been found to be that of a program for this platform. Thread-safe.
 */
final class Downloader {
  private static final Duration LOCK_TIMEOUT = Duration.ofMinutes(15);
  private static final String TEMPORARY_PREFIX = ".echopost-download-";

  private final DirectoryLayout layout;
  private final Platform platform;
  private final DownloadServer server;
  private final URI url;
  private final UpdateStamp stamp;
  private final InterProcessLock lock;
  private final Duration answerTimeout;
  private final RateLimitedLog log;

  /**
   * @param baseUrl contains the programs of all platforms
   * @param answerTimeout how long a program may take to answer; the first run unpacks its runtime
   */
  Downloader(
      DirectoryLayout layout,
      Platform platform,
      DownloadServer server,
      URI baseUrl,
      Duration answerTimeout,
      RateLimitedLog log,
      Clock clock,
      Waiter waiter) {
    this.layout = layout;
    this.platform = platform;
    this.server = server;
    this.url =
        URI.create(baseUrl + "/" + platform.os() + "/" + platform.arch() + "/echopost-latest");
    this.stamp = new UpdateStamp(layout.updateStamp());
    this.lock = new InterProcessLock(layout.downloadLock(), clock, waiter);
    this.answerTimeout = answerTimeout;
    this.log = log;
  }

  /**
   * Downloads the program unless it is there. Returns when it is there or the download has failed;
   * there is no limit on the time, except for a download that stalls.
   *
   * @param didNotStart whether the program failed to start: unless it answers now, it is replaced
   */
  DownloadResult ensurePresent(boolean didNotStart) throws InterruptedException {
    try {
      if (!didNotStart && isRunnable()) {
        return new DownloadResult.Present();
      }
      PrivateFiles.createDirectories(layout.directory());
      return lock.withLock(
          LOCK_TIMEOUT,
          () -> {
            if (isRunnable() && (!didNotStart || answers())) {
              return new DownloadResult.Present();
            }
            removeUnlessRunnable();
            return install("", "");
          });
    } catch (TimeoutException lockedTooLong) {
      return new DownloadResult.NetworkError("another process has tried to download it for 15 min");
    } catch (IOException | InterProcessLock.ActionFailedException failed) {
      return new DownloadResult.WriteError(failed.toString());
    }
  }

  private boolean isRunnable() throws IOException {
    Path program = layout.program();
    return Files.exists(program) && (!Files.isReadable(program) || ProgramFile.isRunnable(program));
  }

  /** Why the installed program cannot be used; empty if it can. Changes nothing. */
  String problemOfProgram() throws IOException {
    if (isRunnable()) {
      return "";
    }
    return layout.program()
        + (Files.exists(layout.program()) ? " is not a program" : " is missing");
  }

  private boolean answers() throws InterruptedException {
    return ProgramFile.run(layout.program(), answerTimeout).isEchoPost();
  }

  /**
   * Removes a file that is no program at all, such as a web page. A program or script that does not
   * answer now, perhaps for lack of memory, stays until another one has answered.
   */
  private void removeUnlessRunnable() throws IOException {
    Path program = layout.program();
    if (Files.exists(program) && !isRunnable()) {
      log.log(Level.WARNING, "%s is removed: it is not a program".formatted(program));
      Files.delete(program);
    }
  }

  /**
   * Replaces the program by a newer version from the server, if {@code interval} has passed since a
   * process last looked for one. An agent that runs is not affected: the next one that is started
   * is the new version.
   */
  void updateIfDue(Duration interval) throws InterruptedException {
    try {
      if (Files.exists(layout.program()) && stamp.isDue(interval)) {
        // If another process has the lock, it is that process which looks.
        DownloadResult result =
            lock.withLock(
                Duration.ZERO,
                () -> stamp.isDue(interval) ? update() : new DownloadResult.Present());
        if (!(result instanceof DownloadResult.Present)) {
          log.log(Level.INFO, "A newer EchoPost was looked for in vain: " + result);
        }
      }
    } catch (TimeoutException locked) {
      // As wanted.
    } catch (IOException | InterProcessLock.ActionFailedException failed) {
      log.log(Level.DEBUG, "No newer EchoPost can be looked for: " + failed);
    }
  }

  private DownloadResult update() throws IOException, InterruptedException {
    // At once: if this process is killed, the next one must not begin the same download.
    stamp.touch();
    String seen = stamp.read();
    try {
      String checksum = server.fetchChecksum(url);
      if (!checksum.isEmpty() && checksum.equals(seen)) {
        return new DownloadResult.Present();
      }
      if (!checksum.isEmpty() && seen.isEmpty() && isInstalled(checksum)) {
        stamp.write(checksum);
        return new DownloadResult.Present();
      }
      ProgramFile.Answer installed = ProgramFile.run(layout.program(), answerTimeout);
      if (!installed.isEchoPost()) {
        // Its version is not known. If it does not start either, ensurePresent replaces it.
        return new DownloadResult.NotEchoPost(layout.program().toString(), installed.problem());
      }
      return install(installed.version(), checksum.isEmpty() ? seen : "");
    } catch (NetworkException failed) {
      return new DownloadResult.NetworkError(failed.getMessage() + " (" + url + ")");
    }
  }

  /** Whether the program, which something else than the SDK installed, is the server's. */
  private boolean isInstalled(String checksum) throws IOException {
    Path program = layout.program();
    return Files.isReadable(program) && checksum.equals(ProgramFile.sha256(program));
  }

  /**
   * Downloads the program, and gives it its name.
   *
   * @param installed only a newer version than this one is installed; empty for any
   * @param notModifiedSince only a file that was modified since is downloaded; empty for any
   */
  private DownloadResult install(String installed, String notModifiedSince)
      throws IOException, InterruptedException {
    deleteTemporaryFiles(layout.directory());
    Path temporary = Files.createTempFile(layout.directory(), TEMPORARY_PREFIX, ".tmp");
    try {
      log.log(Level.INFO, "Downloading EchoPost from " + url);
      DownloadServer.Answer file = server.download(url, notModifiedSince, temporary);
      if (file.status() == 304 && !notModifiedSince.isEmpty()) {
        return new DownloadResult.Present();
      }
      if (file.status() != 200) {
        return new DownloadResult.UnexpectedStatus(url.toString(), file.status());
      }
      String expected = server.fetchChecksum(url);
      if (!expected.isEmpty() && !expected.equals(file.sha256())) {
        return new DownloadResult.ChecksumMismatch(url.toString(), expected, file.sha256());
      }
      if (expected.isEmpty() && !ProgramFile.isFor(platform, temporary)) {
        return new DownloadResult.NotEchoPost(
            url.toString(), "its content is not that of a program for " + platform);
      }
      Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
      ProgramFile.Answer answer = ProgramFile.run(temporary, answerTimeout);
      if (!answer.isEchoPost()) {
        return new DownloadResult.NotEchoPost(url.toString(), answer.problem());
      }
      if (installed.isEmpty()
          || Version.parse(answer.version()).compareTo(Version.parse(installed)) > 0) {
        Files.move(temporary, layout.program(), StandardCopyOption.ATOMIC_MOVE);
        log.log(
            Level.INFO,
            "EchoPost v%s is installed as %s".formatted(answer.version(), layout.program()));
      }
      stamp.write(expected.isEmpty() ? file.lastModified() : expected);
      return new DownloadResult.Present();
    } catch (NetworkException failed) {
      return new DownloadResult.NetworkError(failed.getMessage() + " (" + url + ")");
    } finally {
      Files.deleteIfExists(temporary);
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
}
