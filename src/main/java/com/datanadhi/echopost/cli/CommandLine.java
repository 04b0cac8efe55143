package com.datanadhi.echopost.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// Parses the arguments and the environment into a [Command].
public final class CommandLine {
  /// Apart from [#programSpec], since each start needs these and only help texts need the rest.
  private static final List<Flag> FLAGS =
      List.of(
          Flag.withValue(
              "datanadhi",
              "DIR",
              "the directory of the socket, the buffer and the logs; created if it does not exist"
                  + " (default "
                  + Options.DEFAULT_DIRECTORY
                  + ")"),
          Flag.withValue(
              "api-key",
              "KEY",
              "the API key for records that have none; every user of the machine can read a command"
                  + " line, so prefer the environment variable DATANADHI_API_KEY"),
          Flag.withValue(
              "health-url",
              "URL",
              "the main server: GET URL is its health check, POST URL/log accepts a record (default"
                  + " "
                  + Options.DEFAULT_HEALTH_URL
                  + ")"),
          Flag.withoutValue("version", "print the version"),
          CommandSpec.HELP);

  private CommandLine() {}

  /// Parses `args`.
  ///
  /// @throws UsageException if they are not valid; the message states how to correct them
  public static Command parse(List<String> args, Map<String, String> environment)
      throws UsageException {
    Flags.Parsed parsed = Flags.parse(FLAGS, args);
    if (parsed.isOn(CommandSpec.HELP.name())) {
      return new Command.Help();
    }
    if (parsed.isOn("version")) {
      return new Command.Print("echopost " + version() + "\n");
    }
    if (!parsed.rest().isEmpty()) {
      String name = parsed.rest().getFirst();
      if (!parsed.values().isEmpty()) {
        throw new UsageException(
            "flags must follow the command's name: echopost " + name + " [flags]");
      }
      return new Command.Operate(name, parsed.rest().subList(1, parsed.rest().size()));
    }
    return new Command.Run(Options.of(parsed.values(), environment));
  }

  /// The description of the program: of the agent, and of what all commands have in common.
  public static CommandSpec programSpec() {
    return new CommandSpec(
        "",
        "buffer log records while their server is down, and replay them in order",
        """
        EchoPost stores log records on disk while their server is down, and delivers them in order when it is up again.

        Without a command, echopost runs the agent. Clients send records over gRPC (proto/logagent.proto) to the UNIX \
        socket DIR/data-nadhi-agent.sock, which exists while the agent is ready. The agent exits when the server is up and \
        no record is pending. Operators inspect and manage its buffer with the commands.\
        """,
        List.of(
            "[-datanadhi DIR] [-api-key KEY] [-health-url URL]",
            "COMMAND [flags]",
            "-version | -h"),
        FLAGS,
        null,
        List.of(
            new CommandSpec.Variable("DATANADHI_API_KEY", "the API key, if -api-key is not given"),
            new CommandSpec.Variable(
                "ECHOPOST_SOCKET_MODE", "permissions of the socket file, octal (default 0600)"),
            new CommandSpec.Variable(
                "ECHOPOST_TEXTFILE_DIR",
                "directory of node_exporter's textfile collector, to which the agent writes its"
                    + " metrics every 15 s and when it exits (default: none)"),
            new CommandSpec.Variable(
                "ECHOPOST_RUNTIME_DIR",
                "directory to which the program unpacks itself (default $XDG_CACHE_HOME/echopost,"
                    + " else $HOME/.cache/echopost, else DIR/.runtime)"),
            new CommandSpec.Variable(
                "HTTP_PROXY, HTTPS_PROXY, NO_PROXY",
                "proxies, as for curl and Go programs; also in lower case"),
            new CommandSpec.Variable(
                "SSL_CERT_FILE, SSL_CERT_DIR",
                "CA certificates to trust for https: a file instead of the system's bundle, and"
                    + " directories of further files"),
            new CommandSpec.Variable("NO_COLOR", "if set, commands print no colours")),
        List.of(
            new CommandSpec.ExitStatus(0, "the agent: every record is delivered; a command: done"),
            new CommandSpec.ExitStatus(
                1,
                "fatal: the storage cannot be used, or was damaged; accepted records are on disk"),
            new CommandSpec.ExitStatus(2, "usage: an invalid flag, URL or directory"),
            new CommandSpec.ExitStatus(3, "another agent owns this directory"),
            new CommandSpec.ExitStatus(
                4, "stopped by a signal with records pending; the next start delivers them"),
            new CommandSpec.ExitStatus(
                5, "no record is pending, but the server rejected some: see 'echopost rejected'")));
  }

  /// This build's version, such as `v1.0.0`.
  public static String version() {
    try (InputStream in = CommandLine.class.getResourceAsStream("/META-INF/echopost/VERSION")) {
      if (in == null) {
        throw new IllegalStateException("the file VERSION is missing from this build");
      }
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
