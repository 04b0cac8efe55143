package com.datanadhi.echopost.directory;

import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names of all files and directories of EchoPost in the agent's directory (DIR). No other
/// class contains such a name.
///
/// Another user may have planted a symbolic link under one of these names. [Workspace] therefore
/// checks every entry for which [#belongsToAgent] is true before anything is opened, and
/// [#belongsToAgent] must cover every name here except the sockets, which are replaced and never
/// opened.
///
/// The launcher (`scripts/launcher.sh`) runs without Java and repeats [#SOCKET], [#PRIVATE_SOCKET],
/// [#LOCK], [#BUFFER], [#LOG], [#CRASH_REPORT] and the names of sessions.
public final class DirectoryLayout {
  /// The public name of the UNIX socket.
  public static final String SOCKET = "data-nadhi-agent.sock";

  /// The name under which the socket is bound.
  public static final String PRIVATE_SOCKET = ".agent-private.sock";

  /// A link to the socket, which is then renamed to the public name.
  public static final String TEMPORARY_SOCKET = ".agent-publish.sock";

  /// The file on which the running agent holds an OS lock.
  public static final String LOCK = "agent.lock";

  /// The file that reserves disk space for deletes and checkpoints on a full disk.
  public static final String RESERVE = "reserve";

  /// The SQLite database.
  public static final String BUFFER = "buffer.db";

  /// A new database that is to replace a damaged one.
  public static final String NEW_BUFFER = BUFFER + ".new";

  /// A copy of the open database that is to get its name back.
  public static final String BUFFER_COPY = BUFFER + ".copy";

  /// The part between the name of a database and the time at which it was set aside, because it was
  /// put in the place of an open one.
  public static final String REPLACED_INFIX = ".replaced-";

  /// The suffix of SQLite's write-ahead log, beside a database.
  public static final String WAL_SUFFIX = "-wal";

  /// The suffix of the WAL's index in shared memory, beside a database.
  public static final String SHM_SUFFIX = "-shm";

  /// The suffix of the watermark, the file with the settled id, beside a database.
  public static final String WATERMARK_SUFFIX = "-watermark";

  /// The suffix of the report of a salvage, beside the damaged database.
  public static final String SALVAGE_REPORT_SUFFIX = "-salvaged";

  /// The part between the name of a quarantined database and the time of its quarantine.
  public static final String DAMAGED_INFIX = ".damaged-";

  /// The log, in the session's directory.
  public static final String LOG = "agent.log";

  /// The metrics at the end of the run, in the session's directory.
  public static final String METRICS = "metrics.prom";

  /// The crash report of the JVM, in the session's directory.
  public static final String CRASH_REPORT = "crash.log";

  /// The prefix of a session's directory.
  static final String SESSION_PREFIX = "session-";

  /// SQLite opens a file with this suffix if there is one, though the agent uses no rollback
  /// journal.
  public static final String JOURNAL_SUFFIX = "-journal";

  /// The prefix of an empty file that is created for a moment, with a random name and only if that
  /// does not exist, so that no link can be planted.
  static final String PROBE_PREFIX = ".agent-probe-";

  private static final Set<String> FIXED_NAMES =
      Set.of(
          LOCK,
          RESERVE,
          BUFFER,
          BUFFER + WAL_SUFFIX,
          BUFFER + SHM_SUFFIX,
          BUFFER + JOURNAL_SUFFIX,
          BUFFER + WATERMARK_SUFFIX,
          NEW_BUFFER,
          NEW_BUFFER + WAL_SUFFIX,
          NEW_BUFFER + SHM_SUFFIX,
          NEW_BUFFER + JOURNAL_SUFFIX,
          NEW_BUFFER + WATERMARK_SUFFIX,
          BUFFER_COPY,
          BUFFER_COPY + JOURNAL_SUFFIX);

  private static final Pattern SESSION =
      Pattern.compile(
          "("
              + SESSION_PREFIX
              + "\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ)(?:-([1-9]\\d{0,8}))?");

  /// The JVM writes its crash report there if it cannot write to the cache; the launcher moves it
  /// to the session's directory. It has the process id of the launcher.
  private static final Pattern NEW_CRASH_REPORT = Pattern.compile("crash-\\d+\\.log");

  private DirectoryLayout() {}

  /// The socket of the agent that owns `directory`.
  public static Path socket(Path directory) {
    return directory.resolve(SOCKET);
  }

  /// The lock file of `directory`.
  public static Path lock(Path directory) {
    return directory.resolve(LOCK);
  }

  /// The database in `directory`.
  public static Path buffer(Path directory) {
    return directory.resolve(BUFFER);
  }

  /// The reserve in `directory`.
  public static Path reserve(Path directory) {
    return directory.resolve(RESERVE);
  }

  /// The write-ahead log of `database`.
  public static Path wal(Path database) {
    return beside(database, WAL_SUFFIX);
  }

  /// The file whose name is that of `file` with `suffix` appended, in the same directory.
  public static Path beside(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  /// Whether `name` is the name of a session's directory.
  public static boolean isSession(String name) {
    return sessionName(name).matches();
  }

  /// Group 1 is the name with the second of the start; group 2 is the number, null if there is
  /// none.
  static Matcher sessionName(String name) {
    return SESSION.matcher(name);
  }

  /// Whether `name` is one of EchoPost's names, except those of the sockets.
  static boolean belongsToAgent(String name) {
    return FIXED_NAMES.contains(name)
        || name.startsWith(BUFFER + DAMAGED_INFIX)
        || name.startsWith(BUFFER + REPLACED_INFIX)
        || isSession(name)
        || NEW_CRASH_REPORT.matcher(name).matches();
  }
}
