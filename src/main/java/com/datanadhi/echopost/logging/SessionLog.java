package com.datanadhi.echopost.logging;

import com.datanadhi.logging.JsonFormatter;
import com.datanadhi.logging.StdoutHandler;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Set;
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
/// do not fit are dropped there. Lines that cannot be written to the file wait for [#keepFile], at
/// most 1,000 of them: the log never stops or blocks the agent. Thread-safe.
public final class SessionLog implements AutoCloseable {
  private static final int STDOUT_LINES = 1_000;
  private static final int WAITING_LINES = 1_000;

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
  /// configuration of java.util.logging. If the file cannot be created, [#keepFile] can be called
  /// later.
  public static SessionLog open(Path path, OutputStream standardOut) {
    SessionLog log = openWithoutFile(path, standardOut);
    log.keepFile();
    return log;
  }

  /// The same, but leaves it to [#keepFile] to create the file.
  public static SessionLog openWithoutFile(Path path, OutputStream standardOut) {
    JsonFormatter formatter = new JsonFormatter();
    FileHandler file = new FileHandler(path, formatter);
    StdoutHandler stdout = new StdoutHandler(standardOut, formatter, STDOUT_LINES);
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

  /// Creates the file, and its directory, if they are missing: they could not be created before, or
  /// another process has deleted them. Writes the lines that have waited for that. A failure is
  /// logged once, to standard output.
  public void keepFile() {
    IOException failure = file.keepFile();
    if (failure != null) {
      Events.warning(
          EventNames.LOG_NOT_WRITTEN,
          "reason",
          failure.toString(),
          "action",
          "make room for files, or fix the permissions; until then the log is only on standard"
              + " output");
    }
  }

  private static final class FileHandler extends Handler {
    private final Path path;
    private final Formatter formatter;
    // Lines that could not be written yet, the oldest first.
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    private @Nullable OutputStream out;
    private @Nullable Object identity;
    private long length;
    private @Nullable IOException failure;
    private boolean isReported;

    FileHandler(Path path, Formatter formatter) {
      this.path = path;
      this.formatter = formatter;
    }

    /// @return why that failed, if this is news; else null
    synchronized @Nullable IOException keepFile() {
      try {
        Object opened = identity;
        if (opened == null || !opened.equals(identityOfPath())) {
          reopen();
        }
        writeWaiting();
      } catch (IOException failed) {
        failure = failed;
      }
      IOException news = isReported ? null : failure;
      isReported = failure != null;
      return news;
    }

    private @Nullable Object identityOfPath() throws IOException {
      try {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
            .fileKey();
      } catch (NoSuchFileException gone) {
        return null;
      }
    }

    private void reopen() throws IOException {
      close();
      Path directory = Objects.requireNonNull(path.getParent());
      boolean isNew = !Files.exists(directory, LinkOption.NOFOLLOW_LINKS);
      if (isNew) {
        Files.createDirectory(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      try {
        Files.newByteChannel(
                path,
                Set.of(
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND,
                    LinkOption.NOFOLLOW_LINKS),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))
            .close();
      } catch (IOException failed) {
        if (isNew) {
          Files.delete(directory);
        }
        throw failed;
      }
      // That channel cannot be used: it is closed when an interrupted thread writes to it.
      out = new FileOutputStream(path.toFile(), true);
      length = path.toFile().length();
      identity = identityOfPath();
    }

    @Override
    public synchronized void publish(@Nullable LogRecord line) {
      if (line == null) {
        return;
      }
      if (waiting.size() == WAITING_LINES) {
        byte[] _ = waiting.removeFirst();
      }
      waiting.addLast(formatter.format(line).getBytes(StandardCharsets.UTF_8));
      try {
        writeWaiting();
      } catch (IOException failed) {
        failure = failed;
      }
    }

    private void writeWaiting() throws IOException {
      OutputStream open = out;
      if (open == null) {
        return;
      }
      if (failure != null && path.toFile().length() != length) {
        // A part of a line was written.
        open.write('\n');
        length = path.toFile().length();
      }
      while (!waiting.isEmpty()) {
        open.write(waiting.getFirst());
        length += waiting.removeFirst().length;
      }
      failure = null;
    }

    @Override
    public void flush() {}

    @Override
    public synchronized void close() {
      OutputStream open = out;
      out = null;
      identity = null;
      try {
        if (open != null) {
          open.close();
        }
      } catch (IOException broken) {
        System.err.println("echopost: the session log cannot be closed: " + broken.getMessage());
      }
    }
  }
}
