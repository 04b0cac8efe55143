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

/// This run's log: every event goes to a file and to standard output.
///
/// The file is written in the caller's thread, so that a line is there when the process is killed a
/// moment later. Standard output belongs to whoever spawned the agent and may be closed, full or
/// never read: a thread of its own writes there from a bounded queue (1,000 lines), and what does
/// not fit is left out there, never waited for. A line that cannot be written to the file is lost
/// without harm: the log never stops the agent. Thread-safe.
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
          // The LogManager calls this when a signal comes: the session goes on until it is closed
          // itself.
        }
      };

  private SessionLog(FileHandler file, StdoutHandler stdout) {
    this.file = file;
    this.stdout = stdout;
  }

  /// Starts the log in `path` (created, mode 0600) and on `standardOut`, in place of
  /// java.util.logging's own set-up.
  ///
  /// @throws IOException when the file cannot be created
  public static SessionLog open(Path path, OutputStream standardOut) throws IOException {
    JsonFormatter formatter = new JsonFormatter();
    FileHandler file = new FileHandler(path, formatter);
    StdoutHandler stdout = new StdoutHandler(standardOut, formatter);
    LogManager.getLogManager().reset();
    SessionLog log = new SessionLog(file, stdout);
    // What clients do wrong they are told themselves; libraries have a say when something is broken
    // here.
    log.root.setLevel(Level.SEVERE);
    log.root.addHandler(log.fromLibraries);
    Events.LOGGER.addHandler(file);
    Events.LOGGER.addHandler(stdout);
    return log;
  }

  /// Ends the log: the file is closed; standard output gets a fraction of a second to take what is
  /// left.
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
      // Not that channel: it would be closed by the first line that an interrupted thread writes.
      this.out = new FileOutputStream(path.toFile(), true);
    }

    @Override
    public synchronized void publish(@Nullable LogRecord line) {
      if (line == null) {
        return;
      }
      try {
        out.write(formatter.format(line).getBytes(StandardCharsets.UTF_8));
      } catch (IOException fullOrGone) {
        if (!failed) {
          failed = true;
          System.err.println(
              "echopost: the session log cannot be written: " + fullOrGone.getMessage());
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
    private final AtomicBoolean gone = new AtomicBoolean();
    private final Thread writer;

    StdoutHandler(OutputStream out, Formatter formatter) {
      this.formatter = formatter;
      this.out = out;
      this.writer = Thread.ofPlatform().daemon().name("stdout").unstarted(this::write);
      writer.start();
    }

    @Override
    public void publish(@Nullable LogRecord line) {
      if (line == null || gone.get()) {
        return;
      }
      // False when the reader of our standard output is slow: the file has the line.
      boolean _ = lines.offer(formatter.format(line).getBytes(StandardCharsets.UTF_8));
    }

    @SuppressWarnings("ReferenceEquality") // END is that one array
    private void write() {
      try {
        for (byte[] line = lines.take(); line != END; line = lines.take()) {
          out.write(line);
          out.flush();
        }
      } catch (IOException closed) {
        gone.set(true);
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
