package com.datanadhi.echopost;

import com.datanadhi.echopost.agent.Agent;
import com.datanadhi.echopost.agent.AgentSettings;
import com.datanadhi.echopost.cli.Command;
import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.Options;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.UnusableDirectoryException;
import com.datanadhi.echopost.operator.command.Commands;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.upstream.MainServer;
import com.datanadhi.echopost.upstream.ProxySettings;
import com.datanadhi.echopost.upstream.ServerUrl;
import com.datanadhi.echopost.upstream.TrustStore;
import com.datanadhi.runtime.UnpackedRuntime;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SimpleTimeZone;
import java.util.TimeZone;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The program: parses the arguments, runs the agent or a command, and exits with its status.
public final class Main {
  /// A system property that the launcher sets when it replaces an agent that died: how that one
  /// died.
  private static final String RESTARTED_AFTER = "echopost.restarted_after";

  /// A system property that the launcher sets: the file by which it protects the unpacked runtime
  /// until this process has locked it.
  private static final String START_MARK = "echopost.start_mark";

  private Main() {}

  /// Runs the program and ends the process.
  public static void main(String[] args) {
    // SQLite's driver creates date formats, which nothing uses. With the system's time zone this
    // reads the rules of all zones. The program prints times in UTC anyway.
    TimeZone.setDefault(new SimpleTimeZone(0, "UTC"));
    // By default Netty looks for three other logging libraries first.
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    String mark = System.getProperty(START_MARK);
    UnpackedRuntime runtime = mark == null ? null : UnpackedRuntime.hold(Path.of(mark));
    ExitCode code = run(List.of(args), System.getenv(), runtime);
    close(runtime);
    System.exit(code.code());
  }

  private static ExitCode run(
      List<String> args, Map<String, String> environment, @Nullable UnpackedRuntime runtime) {
    try {
      Command command = CommandLine.parse(args, environment);
      // A switch by type would be compiled at run time at each start (docs/performance-log.md).
      if (command instanceof Command.Run(Options options)) {
        return runAgent(options, environment, () -> removeUnusedInBackground(runtime));
      }
      if (command instanceof Command.Operate(String name, List<String> arguments)) {
        ExitCode code = Commands.run(name, arguments);
        removeUnused(runtime);
        return code;
      }
      System.out.print(
          command instanceof Command.Print(String text) ? text : Commands.programHelp());
      removeUnused(runtime);
      return ExitCode.DONE;
    } catch (UsageException | UnusableDirectoryException usage) {
      return fail(ExitCode.USAGE, usage);
    } catch (StorageException | IOException | RuntimeException fatal) {
      return fail(ExitCode.FATAL, fatal);
    } catch (LinkageError noLibrary) {
      return fail(
          ExitCode.FATAL,
          new IOException(
              "a native library cannot be loaded: make sure that "
                  + System.getProperty("java.io.tmpdir")
                  + " has room and permits execution ("
                  + noLibrary.getMessage()
                  + ")"));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return fail(ExitCode.FATAL, interrupted);
    }
  }

  private static void close(@Nullable UnpackedRuntime runtime) {
    if (runtime != null) {
      try {
        runtime.close();
      } catch (IOException kept) {
        // A later start deletes the mark.
      }
    }
  }

  private static void removeUnusedInBackground(@Nullable UnpackedRuntime runtime) {
    Thread.ofPlatform().daemon().start(() -> removeUnused(runtime));
  }

  /// Deletes the runtimes of other versions that no process uses.
  private static void removeUnused(@Nullable UnpackedRuntime runtime) {
    if (runtime != null) {
      try {
        runtime.removeUnused(Clock.system().millis());
      } catch (IOException kept) {
        // It only saves space, and the next start tries again.
      }
    }
  }

  private static ExitCode runAgent(
      Options options, Map<String, String> environment, Runnable whenReady)
      throws UsageException,
          UnusableDirectoryException,
          StorageException,
          IOException,
          InterruptedException {
    CompletableFuture<Agent> created = new CompletableFuture<>();
    CompletableFuture<ExitCode> ended = new CompletableFuture<>();
    // At SIGTERM, SIGINT and SIGHUP the JVM runs its shutdown hooks: there is no other portable way
    // to notice them.
    Thread hook =
        Thread.ofPlatform()
            .unstarted(() -> {
              if (!ended.isDone()) {
                var _ = created.thenAccept(agent -> agent.requestStop("signal"));
                Runtime.getRuntime().halt(ended.join().code());
              }
            });
    Runtime.getRuntime().addShutdownHook(hook);
    ExitCode code = ExitCode.FATAL;
    try {
      Agent agent = agent(options, environment, whenReady);
      created.complete(agent);
      code = agent.run();
      if (code == ExitCode.OWNED) {
        System.err.println(
            "echopost: another agent owns "
                + options.directory()
                + "; it serves the clients of this directory, nothing needs to be done");
      }
      return code;
    } finally {
      ended.complete(code);
    }
  }

  private static Agent agent(Options options, Map<String, String> environment, Runnable whenReady)
      throws UsageException {
    try {
      Clock clock = Clock.system();
      ServerUrl url = ServerUrl.parse(options.healthUrl());
      ProxySettings proxies = ProxySettings.fromEnvironment(environment);
      TrustStore trust = new TrustStore(environment);
      return new Agent(
          new AgentSettings(
              options.directory(),
              options.socketMode(),
              options.textfileDirectory(),
              () -> new MainServer(url, options.apiKey(), proxies, trust, clock),
              url.toString(),
              CommandLine.version(),
              new FileOutputStream(FileDescriptor.out),
              System.getProperty(RESTARTED_AFTER),
              whenReady),
          clock);
    } catch (IllegalArgumentException bad) {
      throw new UsageException(String.valueOf(bad.getMessage()));
    }
  }

  /// The reason of a failure in a library, such as "Too many open files"; or nothing.
  private static String rootCause(Exception failure) {
    if (!(failure instanceof RuntimeException) || failure.getCause() == null) {
      return "";
    }
    Throwable cause = failure.getCause();
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return ": " + cause.getMessage();
  }

  private static ExitCode fail(ExitCode code, Exception failure) {
    String message = failure.getMessage();
    // The message of a FileSystemException is often only a file name.
    boolean isMeaningful = message != null && !(failure instanceof FileSystemException);
    System.err.println(
        "echopost: " + (isMeaningful ? message : failure.toString()) + rootCause(failure));
    return code;
  }
}
