package com.datanadhi.echopost.directory;

import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of every file and directory that EchoPost has in the agent's directory. All code takes
/// its names from here: [#isOurs] must know each of them, since what stands under one of our names
/// is checked before it is opened (see [Workspace]), and a forgotten name is a link that somebody
/// can plant and that the agent then follows.
///
/// The launcher (`scripts/launcher.sh`) has [#SOCKET], [#BUFFER] and the sessions' names a second
/// time, because it runs before Java.
public final class DirectoryLayout {
  /// The UNIX socket's public name.
  public static final String SOCKET = "data-nadhi-agent.sock";

  /// The name that the socket is bound under.
  public static final String PRIVATE_SOCKET = ".agent-private.sock";

  /// A link to the socket on its way to the public name.
  public static final String TEMPORARY_SOCKET = ".agent-publish.sock";

  /// The file with the OS lock of the running agent.
  public static final String LOCK = "agent.lock";

  /// The file that keeps room for deletes and checkpoints on a full disk.
  public static final String RESERVE = "reserve";

  /// The SQLite database.
  public static final String BUFFER = "buffer.db";

  /// A new database that is about to take the place of a damaged one.
  public static final String NEW_BUFFER = BUFFER + ".new";

  /// The suffix of SQLite's write-ahead log, beside a database.
  public static final String WAL_SUFFIX = "-wal";

  /// The suffix of the write-ahead log's index in shared memory, beside a database.
  public static final String SHM_SUFFIX = "-shm";

  /// The suffix of the file that keeps the settled id, beside a database.
  public static final String WATERMARK_SUFFIX = "-watermark";

  /// The suffix of a salvage's report, beside the damaged database.
  public static final String SALVAGE_REPORT_SUFFIX = "-salvaged";

  /// What follows the database's name, before the time, when it was damaged and is set aside.
  public static final String DAMAGED_INFIX = ".damaged-";

  /// The log in a session's directory.
  public static final String LOG = "agent.log";

  /// The metrics at the end of a run, in its session's directory.
  public static final String METRICS = "metrics.prom";

  /// The JVM's report of a crash, in the session's directory.
  public static final String CRASH_REPORT = "crash.log";

  /// What the name of a session's directory begins with.
  static final String SESSION_PREFIX = "session-";

  /// Opened by SQLite by itself, though the agent keeps no rollback journal.
  private static final String JOURNAL_SUFFIX = "-journal";

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
          NEW_BUFFER + WATERMARK_SUFFIX);

  private static final Pattern SESSION =
      Pattern.compile(
          "(" + SESSION_PREFIX + "\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ)(?:-(\\d{1,9}))?");

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

  /// Group 1 is the second that the session began in, group 2 its number within that second, null
  /// for the first.
  static Matcher sessionName(String name) {
    return SESSION.matcher(name);
  }

  /// Whether a file or directory called `name` is EchoPost's, sockets aside: whatever stands at
  /// their names is replaced, never opened.
  static boolean isOurs(String name) {
    return FIXED_NAMES.contains(name) || name.startsWith(BUFFER + DAMAGED_INFIX) || isSession(name);
  }
}
