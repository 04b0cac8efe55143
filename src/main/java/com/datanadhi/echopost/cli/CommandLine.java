package com.datanadhi.echopost.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// The command line: from arguments and environment to a [Command].
public final class CommandLine {
  /// Every start reads these; the rest of the [#manual] only who asks for it.
  private static final List<Flag> FLAGS =
      List.of(
          Flag.of(
              "datanadhi",
              "DIR",
              "where the socket, the buffer and the logs live; created when missing (default "
                  + Options.DEFAULT_DIRECTORY
                  + ")"),
          Flag.of(
              "api-key",
              "KEY",
              "sent with records that carry no key of their own; a command line can be read by"
                  + " every user of the machine, so prefer the environment variable"
                  + " DATANADHI_API_KEY"),
          Flag.of(
              "health-url",
              "URL",
              "the main server: GET URL says whether it is well, POST URL/log takes a record"
                  + " (default "
                  + Options.DEFAULT_HEALTH_URL
                  + ")"),
          Flag.toggle("version", "print the version"),
          Flag.toggle("h", "print this text"));

  private CommandLine() {}

  /// Reads `args`.
  ///
  /// @throws UsageException when they make no sense, with what to do instead
  public static Command parse(List<String> args, Map<String, String> environment)
      throws UsageException {
    Flags.Parsed parsed = Flags.parse(FLAGS, args);
    if (parsed.isOn("h")) {
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

  /// What there is to say about the agent's own run, and about the program as a whole.
  public static CommandSpec manual() {
    return new CommandSpec(
        "",
        "keep log records safe while their server is down, and replay them in order",
        """
        EchoPost keeps log records safe while their server is down, and replays them in order.

        Clients send records by gRPC (proto/logagent.proto) to the UNIX socket DIR/data-nadhi-agent.sock, which exists
        while the agent is ready. The agent ends by itself once the server is well and nothing is left to deliver.
        Operators look after it with the commands.\
        """,
        List.of(
            "[-datanadhi DIR] [-api-key KEY] [-health-url URL]",
            "COMMAND [flags]",
            "-version | -h"),
        FLAGS,
        null,
        List.of(
            new CommandSpec.Variable("DATANADHI_API_KEY", "the key, when -api-key is not given"),
            new CommandSpec.Variable(
                "ECHOPOST_SOCKET_MODE", "permissions of the socket file, octal (default 0600)"),
            new CommandSpec.Variable(
                "ECHOPOST_TEXTFILE_DIR",
                "where metrics are left for node_exporter's textfile collector, every 15 s and at"
                    + " the end (default: nowhere)"),
            new CommandSpec.Variable(
                "ECHOPOST_RUNTIME_DIR",
                "where the program unpacks itself (default $XDG_CACHE_HOME/echopost, else"
                    + " $HOME/.cache/echopost, else DIR/.runtime)"),
            new CommandSpec.Variable(
                "HTTP_PROXY, HTTPS_PROXY, NO_PROXY",
                "proxies, as curl and Go programs read them; lower case too"),
            new CommandSpec.Variable(
                "SSL_CERT_FILE",
                "certificates to trust for https, instead of the system's own bundle"),
            new CommandSpec.Variable("NO_COLOR", "commands print no colours when it is set")),
        List.of(
            new CommandSpec.Exit(0, "drained: every record is delivered; a command: done"),
            new CommandSpec.Exit(
                1,
                "fatal: the storage cannot be used, or was damaged; what was accepted is on disk"),
            new CommandSpec.Exit(2, "usage: bad flag, URL or directory"),
            new CommandSpec.Exit(3, "another agent owns this directory"),
            new CommandSpec.Exit(
                4, "stopped by a signal with records pending; the next start delivers them"),
            new CommandSpec.Exit(
                5,
                "drained, but the server refused records for good: look at 'echopost rejected'")));
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
