package com.datanadhi.echopost.cli;

import com.datanadhi.echopost.record.RecordRules;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The options of one run of the agent, from flags and environment variables. Immutable.
///
/// @param directory the directory of the socket, the lock, the buffer and the logs; as given, since
///   an absolute path may be too long for a socket address
/// @param apiKey the API key for records that have none; may be empty
/// @param healthUrl the main server, as given; package `upstream` validates it
/// @param socketMode the permissions of the socket file
/// @param textfileDirectory the directory of node_exporter's textfile collector, to which metrics
///   are written; null to write none
public record Options(
    Path directory,
    String apiKey,
    String healthUrl,
    Set<PosixFilePermission> socketMode,
    @Nullable Path textfileDirectory) {
  /// The directory of an agent without the flag `-datanadhi`.
  public static final String DEFAULT_DIRECTORY = "./.datanadhi";

  static final String DEFAULT_HEALTH_URL = "http://data-nadhi-server:5000";
  private static final String API_KEY_VARIABLE = "DATANADHI_API_KEY";
  private static final String SOCKET_MODE_VARIABLE = "ECHOPOST_SOCKET_MODE";
  private static final String TEXTFILE_VARIABLE = "ECHOPOST_TEXTFILE_DIR";

  /// Without the API key, which must not be logged.
  @Override
  public String toString() {
    return "Options[directory=" + directory + "]";
  }

  static Options of(Map<String, String> flags, Map<String, String> environment)
      throws UsageException {
    String apiKey = flags.getOrDefault("api-key", "");
    if (apiKey.isEmpty()) {
      apiKey = environment.getOrDefault(API_KEY_VARIABLE, "");
    }
    if (!RecordRules.isHeaderValue(apiKey.getBytes(StandardCharsets.UTF_8))) {
      throw new UsageException(
          "the API key (-api-key, or "
              + API_KEY_VARIABLE
              + ") cannot be sent as an HTTP header: remove line ends and control characters");
    }
    String textfiles = environment.getOrDefault(TEXTFILE_VARIABLE, "");
    try {
      return new Options(
          directory(flags),
          apiKey,
          flags.getOrDefault("health-url", DEFAULT_HEALTH_URL),
          socketMode(environment.getOrDefault(SOCKET_MODE_VARIABLE, "0600")),
          textfiles.isEmpty() ? null : PathArgument.parse(TEXTFILE_VARIABLE, textfiles));
    } catch (IllegalArgumentException bad) {
      throw new UsageException(String.valueOf(bad.getMessage()));
    }
  }

  /// The agent's directory: from `flags`, or the default.
  ///
  /// @throws UsageException if it is not a path
  public static Path directory(Map<String, String> flags) throws UsageException {
    String text = flags.getOrDefault("datanadhi", DEFAULT_DIRECTORY);
    if (text.isEmpty()) {
      throw new UsageException(
          "-datanadhi is empty: give the directory for the socket and the buffer");
    }
    return PathArgument.parse("-datanadhi", text);
  }

  private static Set<PosixFilePermission> socketMode(String text) {
    if (!text.matches("0?[0-7]{3}")) {
      throw new IllegalArgumentException(
          SOCKET_MODE_VARIABLE + " is '" + text + "': give an octal mode such as 0600 or 0660");
    }
    int bits = Integer.parseInt(text, 8);
    StringBuilder letters = new StringBuilder("rwxrwxrwx");
    for (int i = 0; i < letters.length(); i++) {
      if ((bits & (0400 >> i)) == 0) {
        letters.setCharAt(i, '-');
      }
    }
    return PosixFilePermissions.fromString(letters.toString());
  }
}
