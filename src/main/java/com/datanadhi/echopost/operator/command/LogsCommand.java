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

/// `echopost logs`: the sessions' logs.
final class LogsCommand implements OperatorCommand {
  private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
  private static final int PIECE = 1 << 16;
  private static final byte[] NONE = {};

  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "logs",
        "show the agent's log: its newest session's, or all",
        """
        Shows the log of the newest session, or of all that are kept, one after the other: a directory has one agent at a \
        time. Each start of an agent is a session. The logs hold neither payloads nor API keys.\
        """,
        List.of("[-f] [-all] [-json] [-datanadhi DIR]"),
        List.of(
            Flag.toggle(
                "f", "go on with what is logged from now on, also by the agents that come after"),
            Flag.toggle("all", "all sessions that are kept, the oldest first"),
            Flag.toggle("json", "the lines as they are logged: a JSON object each"),
            SharedFlags.DIRECTORY),
        null,
        List.of(
            new CommandSpec.Exit(0, "shown; with -f it goes on until it is stopped by a signal"),
            new CommandSpec.Exit(1, "the logs cannot be read"),
            new CommandSpec.Exit(2, "usage: a bad flag or argument, or no session in DIR")));
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
              + ": name the agent's directory with -datanadhi");
    }
    boolean all = arguments.isOn("all");
    Follower follower = new Follower(arguments.wantJson(), terminal);
    for (Path session : all ? sessions : sessions.subList(sessions.size() - 1, sessions.size())) {
      follower.begin(session, all);
    }
    if (!arguments.isOn("f")) {
      follower.end();
      return ExitCode.DONE;
    }
    Waiter waiter = new Waiter();
    while (true) {
      terminal.flush();
      waiter.await(LOOK_AGAIN);
      follower.goOn(arguments.directory());
    }
  }

  /// Prints one log after the other, each as far as it has come.
  private static final class Follower {
    private final boolean json;
    private final Terminal terminal;
    private @Nullable Path session;
    private long read;
    private byte[] cut = NONE;

    Follower(boolean json, Terminal terminal) {
      this.json = json;
      this.terminal = terminal;
    }

    /// Ends with the session before, and prints what there is of this one.
    void begin(Path next, boolean named) throws IOException {
      end();
      session = next;
      read = 0;
      if (named && !json) {
        terminal.out().println(terminal.paint(AnsiStyle.FAINT, "== " + next.getFileName()));
      }
      printNew();
    }

    /// Prints what has been logged meanwhile, also by who came after.
    void goOn(Path directory) throws IOException {
      printNew();
      List<Path> sessions = Sessions.list(directory);
      int known = sessions.indexOf(session);
      for (Path next : sessions.subList(known + 1, sessions.size())) {
        begin(next, true);
      }
    }

    /// Prints what is left of the session, a last line without an end too.
    void end() throws IOException {
      Path ended = session;
      if (ended == null) {
        return;
      }
      printNew();
      if (cut.length > 0) {
        print(new String(cut, StandardCharsets.UTF_8));
        cut = NONE;
      }
      if (Files.exists(ended.resolve(DirectoryLayout.CRASH_REPORT))) {
        terminal
            .err()
            .println("echopost: it crashed: see " + ended.resolve(DirectoryLayout.CRASH_REPORT));
      }
    }

    private void printNew() throws IOException {
      if (session == null) {
        return;
      }
      try (InputStream in = Files.newInputStream(session.resolve(DirectoryLayout.LOG))) {
        in.skipNBytes(read);
        for (byte[] more = in.readNBytes(PIECE); more.length > 0; more = in.readNBytes(PIECE)) {
          read += more.length;
          printWholeLines(more);
        }
      } catch (NoSuchFileException notYet) {
        // A session that is only just begun.
      }
    }

    /// A line, and a character, may be cut in two by the end of what is there yet.
    private void printWholeLines(byte[] more) {
      byte[] all = Arrays.copyOf(cut, cut.length + more.length);
      System.arraycopy(more, 0, all, cut.length, more.length);
      int whole = all.length;
      while (whole > 0 && all[whole - 1] != '\n') {
        whole--;
      }
      new String(all, 0, whole, StandardCharsets.UTF_8).lines().forEach(this::print);
      cut = Arrays.copyOfRange(all, whole, all.length);
    }

    private void print(String line) {
      @Nullable LogEvent event = json ? null : LogEvent.parse(line);
      terminal
          .out()
          .println(event == null ? (json ? line : Terminal.plain(line)) : event.text(terminal));
    }
  }
}
