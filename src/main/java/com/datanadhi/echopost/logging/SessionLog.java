package com.datanadhi.echopost.logging;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The log of a run: writes every event to a file and to standard output.
///
/// The caller's thread writes the file, so that a line is there even if the process is killed right
/// after it. Standard output belongs to the process that spawned the agent, and may be closed, full
/// or never read: a thread of its own writes to it from a bounded queue (1,000 lines); lines that
/// do not fit are dropped there. A line that cannot be written to the file is lost: the log never
/// stops or blocks the agent. Thread-safe.
public final class SessionLog implements AutoCloseable {
  private static final int STDOUT_LINES = 1_000;
  private static final long FLUSH_MILLIS = 200;

  private final Logger root = Logger.getLogger("");
  private final FileHandler file;
  private final StdoutHandler stdout;
  private final Handler fromLibraries =
      new Handler() {
        @Override
        public void publish(@Nullable LogRecord line) {
          Events.LOGGER.log(line);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {
          // The LogManager calls this at a signal, but the session's log stays open until it is
          // closed.
        }
      };

  private SessionLog(FileHandler file, StdoutHandler stdout) {
    this.file = file;
    this.stdout = stdout;
  }

  /// Opens the log in `path` (created, mode 0600) and on `standardOut`. It replaces the
  /// configuration of java.util.logging.
  ///
  /// @throws IOException when the file cannot be created
  public static SessionLog open(Path path, OutputStream standardOut) throws IOException {
    JsonFormatter formatter = new JsonFormatter();
    FileHandler file = new FileHandler(path, formatter);
    StdoutHandler stdout = new StdoutHandler(standardOut, formatter);
    LogManager.getLogManager().reset();
    SessionLog log = new SessionLog(file, stdout);
    // Below this level libraries log the mistakes of clients, which get an error response anyway.
    log.root.setLevel(Level.SEVERE);
    log.root.addHandler(log.fromLibraries);
    Events.LOGGER.addHandler(file);
    Events.LOGGER.addHandler(stdout);
    return log;
  }

  /// Closes the file. The lines that wait for standard output get up to 0.4 s.
  @Override
  public void close() {
    root.removeHandler(fromLibraries);
    Events.LOGGER.removeHandler(file);
    Events.LOGGER.removeHandler(stdout);
    file.close();
    stdout.close();
  }

  private static final class FileHandler extends Handler {
    private final Formatter formatter;
    private final OutputStream out;
    private boolean failed;

    FileHandler(Path path, Formatter formatter) throws IOException {
      this.formatter = formatter;
      Files.newByteChannel(
              path,
              Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))
          .close();
      // That channel cannot be used: it is closed when an interrupted thread writes to it.
      this.out = new FileOutputStream(path.toFile(), true);
    }

    @Override
    public synchronized void publish(@Nullable LogRecord line) {
      if (line == null) {
        return;
      }
      try {
        out.write(formatter.format(line).getBytes(StandardCharsets.UTF_8));
      } catch (IOException failure) {
        if (!failed) {
          failed = true;
          System.err.println(
              "echopost: the session log cannot be written: " + failure.getMessage());
        }
      }
    }

    @Override
    public void flush() {}

    @Override
    public synchronized void close() {
      try {
        out.close();
      } catch (IOException broken) {
        System.err.println("echopost: the session log cannot be closed: " + broken.getMessage());
      }
    }
  }

  private static final class StdoutHandler extends Handler {
    private static final byte[] END = {};

    private final Formatter formatter;
    private final OutputStream out;
    private final BlockingQueue<byte[]> lines = new ArrayBlockingQueue<>(STDOUT_LINES);
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread writer;

    StdoutHandler(OutputStream out, Formatter formatter) {
      this.formatter = formatter;
      this.out = out;
      this.writer = Thread.ofPlatform().daemon().name("stdout").unstarted(this::write);
      writer.start();
    }

    @Override
    public void publish(@Nullable LogRecord line) {
      if (line == null || closed.get()) {
        return;
      }
      // False when standard output is read too slowly: the line is in the file.
      boolean _ = lines.offer(formatter.format(line).getBytes(StandardCharsets.UTF_8));
    }

    @SuppressWarnings("ReferenceEquality") // END is compared by identity
    private void write() {
      try {
        for (byte[] line = lines.take(); line != END; line = lines.take()) {
          out.write(line);
          out.flush();
        }
      } catch (IOException readerClosed) {
        closed.set(true);
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      try {
        if (lines.offer(END, FLUSH_MILLIS, TimeUnit.MILLISECONDS)) {
          writer.join(FLUSH_MILLIS);
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
