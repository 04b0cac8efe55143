package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Sessions;
import com.datanadhi.echopost.operator.print.AnsiStyle;
import com.datanadhi.echopost.operator.print.LogEvent;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.json.ControlCharacters;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `echopost logs`: prints the logs of sessions.
final class LogsCommand implements OperatorCommand {
  private static final Duration FOLLOW_INTERVAL = Duration.ofMillis(200);
  private static final int CHUNK_BYTES = 1 << 16;
  private static final byte[] NONE = {};

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "logs",
        "print the agent's log: of the newest session, or of all",
        """
        Prints the log of the newest session, or of all sessions in order. Each start of an agent creates a \
        session, and the newest 20 are kept. The logs contain neither payloads nor API keys.\
        """,
        List.of("[-f] [-all] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.withoutValue("f", "follow the log, also into the sessions of later agents"),
            Flag.withoutValue("all", "all sessions, the oldest first"),
            Flag.withoutValue("json", "print the lines unchanged: one JSON object per line"),
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.ExitStatus(
                0, "printed; with -f the command runs until it is stopped by a signal"),
            new CommandSpec.ExitStatus(1, "the logs cannot be read"),
            new CommandSpec.ExitStatus(
                2, "usage: an invalid flag or argument, or no session in DIR")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, IOException, InterruptedException {
    List<Path> sessions =
        Files.isDirectory(arguments.directory()) ? Sessions.list(arguments.directory()) : List.of();
    if (sessions.isEmpty()) {
      throw new UsageException(
          "there is no session in "
              + arguments.directory()
              + ": give the agent's directory with -datanadhi");
    }
    boolean all = arguments.isOn("all");
    Follower follower = new Follower(arguments.wantsJson(), terminal);
    for (Path session : all ? sessions : sessions.subList(sessions.size() - 1, sessions.size())) {
      follower.open(session, all);
    }
    if (!arguments.isOn("f")) {
      follower.finish();
      return ExitCode.DONE;
    }
    Waiter waiter = new Waiter();
    while (true) {
      terminal.flush();
      waiter.await(FOLLOW_INTERVAL);
      follower.update(arguments.directory());
    }
  }

  /// Prints the log of one session after the other, as far as it is written.
  private static final class Follower {
    private final boolean json;
    private final Terminal terminal;
    private @Nullable Path session;
    private long bytesRead;
    private byte[] partialLine = NONE;

    Follower(boolean json, Terminal terminal) {
      this.json = json;
      this.terminal = terminal;
    }

    /// Finishes the present session and prints what `next` has logged.
    void open(Path next, boolean withName) throws IOException {
      finish();
      session = next;
      bytesRead = 0;
      if (withName && !json) {
        terminal.out().println(terminal.styled(AnsiStyle.FAINT, "== " + next.getFileName()));
      }
      printNewLines();
    }

    /// Prints what has been logged since the last call, also by later sessions.
    void update(Path directory) throws IOException {
      printNewLines();
      List<Path> sessions = Sessions.list(directory);
      int present = sessions.indexOf(session);
      for (Path next : sessions.subList(present + 1, sessions.size())) {
        open(next, true);
      }
    }

    /// Prints the rest of the session, including a last line without a line end.
    void finish() throws IOException {
      Path finished = session;
      if (finished == null) {
        return;
      }
      printNewLines();
      if (partialLine.length > 0) {
        print(new String(partialLine, StandardCharsets.UTF_8));
        partialLine = NONE;
      }
      Path crashReport = finished.resolve(DirectoryLayout.CRASH_REPORT);
      if (Files.exists(crashReport)) {
        terminal.printError("the agent crashed: see " + crashReport);
      }
    }

    private void printNewLines() throws IOException {
      if (session == null) {
        return;
      }
      try (InputStream in = Files.newInputStream(session.resolve(DirectoryLayout.LOG))) {
        in.skipNBytes(bytesRead);
        for (byte[] chunk = in.readNBytes(CHUNK_BYTES);
            chunk.length > 0;
            chunk = in.readNBytes(CHUNK_BYTES)) {
          bytesRead += chunk.length;
          printCompleteLines(chunk);
        }
      } catch (NoSuchFileException notYet) {
        // The session has just started.
      }
    }

    /// The end of `chunk` may be in the middle of a line, and of a character.
    private void printCompleteLines(byte[] chunk) {
      byte[] all = Arrays.copyOf(partialLine, partialLine.length + chunk.length);
      System.arraycopy(chunk, 0, all, partialLine.length, chunk.length);
      int complete = all.length;
      while (complete > 0 && all[complete - 1] != '\n') {
        complete--;
      }
      new String(all, 0, complete, StandardCharsets.UTF_8).lines().forEach(this::print);
      partialLine = Arrays.copyOfRange(all, complete, all.length);
    }

    private void print(String line) {
      @Nullable LogEvent event = json ? null : LogEvent.parse(line);
      terminal
          .out()
          .println(
              event == null
                  ? (json ? ControlCharacters.escape(line) : Terminal.withoutControls(line))
                  : event.text(terminal));
    }
  }
}
