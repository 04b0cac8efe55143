package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.HubLauncher;
import com.datanadhi.hub.admin.OfflineHub;
import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.logging.JsonFormatter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// The command line: start reading here.
///
/// [#run] never ends the process: it returns the exit status, so that tests call it as `Main` does.
public final class Cli {
  private static final String NAME = "echopost-hub";

  private final Output out;
  private final Output err;
  private final CommandLine commands;

  /// @param environment of the process
  /// @param out standard output
  /// @param err standard error
  public Cli(
      HubLauncher launcher,
      OfflineHub.Factory offline,
      Map<String, String> environment,
      OutputStream out,
      OutputStream err) {
    this.out = new Output(out);
    this.err = new Output(err);
    String version = Version.text();
    Session session =
        new Session(
            environment, version, this.out, this.err, new HubAccess(offline, version), launcher);
    this.commands = commands(session);
  }

  /// Runs a command of this process.
  ///
  /// @return the exit status
  public static int run(HubLauncher launcher, OfflineHub.Factory offline, String... arguments) {
    boolean serves = List.of(arguments).contains("serve");
    if (!serves) {
      logOnlyWarnings();
    }
    return new Cli(
            launcher,
            offline,
            System.getenv(),
            new FileOutputStream(FileDescriptor.out),
            new FileOutputStream(FileDescriptor.err))
        .run(arguments);
  }

  /// A command's output is its result; events of a directory that it opens belong to standard
  /// error, if anybody must see them.
  private static void logOnlyWarnings() {
    Logger root = Logger.getLogger("");
    root.setLevel(Level.WARNING);
    for (Handler handler : root.getHandlers()) {
      handler.setFormatter(new JsonFormatter());
    }
  }

  private static CommandLine commands(Session session) {
    CommandLine serve = new CommandLine(new ServeCommand(session));
    ServeCommand.addFlags(serve.getCommandSpec());
    CommandLine key =
        new CommandLine(new KeyCommands.Group())
            .addSubcommand(new KeyCommands.Create(session))
            .addSubcommand(new KeyCommands.ListKeys(session))
            .addSubcommand(new KeyCommands.Revoke(session));
    CommandLine verify =
        new CommandLine(new VerifyCommands.Group())
            .addSubcommand(new VerifyCommands.Log(session))
            .addSubcommand(new VerifyCommands.Tenants(session))
            .addSubcommand(VerifyCommands.Store.archive(session))
            .addSubcommand(VerifyCommands.Store.snapshots(session))
            .addSubcommand(VerifyCommands.Store.all(session));
    CommandLine restore =
        new CommandLine(new RestoreCommands.Restore(session))
            .addSubcommand(new RestoreCommands.ListSnapshots(session))
            .addSubcommand(new RestoreCommands.FromSnapshot(session))
            .addSubcommand(new RestoreCommands.ReplayArchive(session));
    CommandLine root =
        new CommandLine(new Root())
            .addSubcommand(serve)
            .addSubcommand(key)
            .addSubcommand(new StatusCommand(session))
            .addSubcommand(new ReadCommand(session))
            .addSubcommand(new SourcesCommand(session))
            .addSubcommand(new SkipCommand(session))
            .addSubcommand(new SnapshotCommand(session))
            .addSubcommand(verify)
            .addSubcommand(new DrillCommand(session))
            .addSubcommand(restore);
    IVersionProvider version = () -> new String[] {NAME + " " + session.version()};
    prepare(root, version);
    return root.setExpandAtFiles(false).setOverwrittenOptionsAllowed(false);
  }

  private static void prepare(CommandLine command, IVersionProvider version) {
    CommandSpec spec = command.getCommandSpec();
    spec.mixinStandardHelpOptions(true).versionProvider(version);
    spec.usageMessage().width(100).sortOptions(false);
    command.getSubcommands().values().forEach(sub -> prepare(sub, version));
  }

  @Command(
      name = NAME,
      description =
          "Receives records, stores each once in a write-ahead log, and applies them to one SQLite"
              + " database a tenant.",
      footer = {
        "",
        "Exit status: 0 done; 1 fatal, or something is wrong with what was looked at; 2 usage; 3"
            + " another hub owns the data directory."
      })
  private static final class Root {}

  /// Runs a command.
  ///
  /// @return the exit status
  public int run(String... arguments) {
    StringWriter text = new StringWriter();
    StringWriter problems = new StringWriter();
    commands
        .setOut(new PrintWriter(text))
        .setErr(new PrintWriter(problems))
        .setParameterExceptionHandler(Cli::wrongUsage)
        .setExecutionExceptionHandler(failed(problems));
    int status = commands.execute(arguments);
    try {
      out.text(text.toString());
      out.flush();
    } catch (Output.ReaderGoneException enough) {
      return status;
    } catch (FailedException unwritable) {
      problems.append(NAME + ": " + unwritable.getMessage() + "\n");
      status = Math.max(status, ExitStatus.FAILED);
    }
    try {
      err.text(problems.toString());
      err.flush();
    } catch (Output.ReaderGoneException | FailedException nobodyReadsIt) {
      return status;
    }
    return status;
  }

  private static int wrongUsage(ParameterException wrong, String[] arguments) {
    CommandLine command = wrong.getCommandLine();
    String problem = String.valueOf(wrong.getMessage());
    return usage(command, problem);
  }

  private static int usage(CommandLine command, String problem) {
    command
        .getErr()
        .print(
            NAME
                + ": "
                + Output.readable(problem)
                + "\nTry '"
                + command.getCommandSpec().qualifiedName()
                + " --help'.\n");
    command.getErr().flush();
    return ExitStatus.USAGE;
  }

  private static IExecutionExceptionHandler failed(StringWriter problems) {
    return (exception, command, _) ->
        switch (exception) {
          case Output.ReaderGoneException _ -> ExitStatus.DONE;
          case UsageException wrong -> usage(command, String.valueOf(wrong.getMessage()));
          case AdministrationException refused
              when refused.reason() == AdministrationException.Reason.INVALID ->
              usage(command, String.valueOf(refused.getMessage()));
          case DataDirectoryLock.OwnedException owned -> {
            problems.append(message(owned.getMessage()));
            yield ExitStatus.OWNED;
          }
          case AdministrationException _, FailedException _ -> {
            problems.append(message(exception.getMessage()));
            yield ExitStatus.FAILED;
          }
          case IOException unreadable -> {
            problems.append(message(Failure.text(unreadable)));
            yield ExitStatus.FAILED;
          }
          case InterruptedException _ -> {
            Thread.currentThread().interrupt();
            yield ExitStatus.FAILED;
          }
          default -> throw exception;
        };
  }

  private static String message(@Nullable String text) {
    return NAME + ": " + Output.readable(String.valueOf(text)) + "\n";
  }
}
