package com.datanadhi.echopost.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// The command line: from arguments and environment to a [Command].
public final class CommandLine {
  private static final Map<String, Flags.Kind> FLAGS =
      Map.of(
          "datanadhi", Flags.Kind.VALUE,
          "api-key", Flags.Kind.VALUE,
          "health-url", Flags.Kind.VALUE,
          "version", Flags.Kind.SWITCH,
          "h", Flags.Kind.SWITCH,
          "help", Flags.Kind.SWITCH);

  private CommandLine() {}

  /// Reads `args`.
  ///
  /// @throws UsageException when they make no sense, with what to do instead
  public static Command parse(List<String> args, Map<String, String> environment)
      throws UsageException {
    Flags.Parsed parsed = Flags.parse(FLAGS, args);
    if (parsed.isOn("h") || parsed.isOn("help")) {
      return new Command.Help();
    }
    if (parsed.isOn("version")) {
      return new Command.Print("echopost " + version() + "\n");
    }
    if (!parsed.rest().isEmpty()) {
      String name = parsed.rest().getFirst();
      if (!parsed.values().isEmpty()) {
        throw new UsageException("flags go behind the command: echopost " + name + " [flags]");
      }
      return new Command.Operate(name, parsed.rest().subList(1, parsed.rest().size()));
    }
    return new Command.Run(Options.of(parsed.values(), environment));
  }

  /// What the program can be asked to do.
  ///
  /// @param commands the operators' commands, one a line
  public static String usage(String commands) {
    return """
    EchoPost keeps log records safe while their server is down, and replays them in order.

    usage: echopost [-datanadhi DIR] [-api-key KEY] [-health-url URL]
           echopost COMMAND [flags]
           echopost -version | -h

      -datanadhi DIR    where the socket, the buffer and the logs live; created when missing
                        (default %s)
      -api-key KEY      sent with records that carry no key of their own; a command line can be read by every user
                        of the machine, so prefer the environment variable DATANADHI_API_KEY
      -health-url URL   the main server: GET URL says whether it is well, POST URL/log takes a record
                        (default %s)
      -version          print the version
      -h                print this text

    Clients send records by gRPC (proto/logagent.proto) to the UNIX socket DIR/data-nadhi-agent.sock, which exists
    while the agent is ready. The agent ends by itself once the server is well and nothing is left to deliver.

    commands for operators, with or without a living agent; 'echopost COMMAND -h' says more:
    %s
    environment:
      DATANADHI_API_KEY                     the key, when -api-key is not given
      ECHOPOST_SOCKET_MODE                  permissions of the socket file, octal (default 0600)
      HTTP_PROXY, HTTPS_PROXY, NO_PROXY     proxies, as curl and Go programs read them
      SSL_CERT_FILE                         certificates to trust for https, instead of the system's own bundle

    exit status:
      0  drained: every record is delivered; a command: done
      1  fatal: the storage cannot be used; what was accepted is on disk
      2  usage: bad flag, URL or directory
      3  another agent owns this directory
      4  stopped by a signal with records pending; the next start delivers them
      5  drained, but the server refused records for good: look at 'echopost rejected'

    Look inside while it runs:  sqlite3 -readonly DIR/buffer.db 'select * from pending limit 10'
    """
        .formatted(Options.DEFAULT_DIRECTORY, Options.DEFAULT_HEALTH_URL, commands);
  }

  /// This build's version, as `v1.0.0`.
  public static String version() {
    try (InputStream in = CommandLine.class.getResourceAsStream("/META-INF/echopost/VERSION")) {
      if (in == null) {
        throw new IllegalStateException("this build carries no VERSION");
      }
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
