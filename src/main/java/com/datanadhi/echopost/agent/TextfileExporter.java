package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Writes the metrics to a file for node_exporter's textfile collector: at the start, every 15 s,
/// and at the end. A thread of its own writes, because the directory is not the agent's and its
/// file system may hang.
///
/// [#start] and [#end] are called once, in one thread; `last` hands the last text to the writer.
final class TextfileExporter {
  private static final Duration PERIOD = Duration.ofSeconds(15);

  /// Short: the next agent waits for the directory meanwhile.
  private static final Duration LAST_WRITE = Duration.ofMillis(250);

  private static final int NAME_BYTES = 8;

  private final Path file;
  private final Supplier<String> metrics;
  private final Waiter waiter = new Waiter();
  private final Thread thread;
  private volatile @Nullable String last;
  private boolean failing;

  /// @param collectorDirectory the collector's directory
  /// @param directory the agent's directory, whose digest is in the file's name
  /// @param metrics supplies the text, in any thread
  TextfileExporter(Path collectorDirectory, Path directory, Supplier<String> metrics) {
    this.file = collectorDirectory.resolve("echopost-" + nameOf(directory) + ".prom");
    this.metrics = metrics;
    this.thread = Thread.ofPlatform().daemon().name("textfile").unstarted(this::run);
  }

  private static String nameOf(Path directory) {
    byte[] path =
        directory.toAbsolutePath().normalize().toString().getBytes(StandardCharsets.UTF_8);
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(path);
      return HexFormat.of().formatHex(digest, 0, NAME_BYTES);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  void start() {
    thread.start();
  }

  /// Writes `text` as the last, and waits for that, but no longer than [#LAST_WRITE].
  void end(String text) throws InterruptedException {
    last = text;
    waiter.wake();
    boolean _ = thread.join(LAST_WRITE);
  }

  private void run() {
    try {
      while (last == null) {
        write(metrics.get());
        waiter.await(PERIOD);
      }
      write(last);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(String text) {
    // The collector only reads files whose names end in .prom.
    Path temporary = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.deleteIfExists(temporary);
      // A new file: a link that another user has planted must not be followed.
      Files.writeString(temporary, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      // The collector runs as another user.
      Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      failing = false;
    } catch (IOException failed) {
      if (!failing) {
        failing = true;
        Events.warning(
            EventNames.TEXTFILE_NOT_WRITTEN,
            "reason",
            failed.toString(),
            "action",
            "make ECHOPOST_TEXTFILE_DIR a directory that the agent can write to");
      }
    }
  }
}
