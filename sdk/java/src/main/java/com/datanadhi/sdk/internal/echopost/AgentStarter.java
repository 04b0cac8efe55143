package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.internal.files.InterProcessLock;
import com.datanadhi.sdk.internal.http.HttpTransports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Starts an agent on a directory if none runs. A lock makes sure that at most one thread of all
 * processes starts one at a time. Thread-safe.
 */
final class AgentStarter {
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration SOCKET_POLL = Duration.ofMillis(5);
  private static final int OTHER_AGENT_RUNS = 3;

  /** An exit status above this is 128 plus the number of the signal that killed the process. */
  private static final int KILLED_BY = 128;

  private final DirectoryLayout layout;
  private final int maxSocketPathBytes;
  private final String serverHost;
  private final Map<String, String> environment;
  private final Duration timeout;
  private final RateLimitedLog log;
  private final Clock clock;
  private final Waiter waiter;
  private final InterProcessLock startLock;

  /**
   * @param timeout until a new agent accepts connections
   */
  AgentStarter(
      DirectoryLayout layout,
      Platform platform,
      DataNadhiConfiguration configuration,
      Duration timeout,
      RateLimitedLog log,
      Clock clock,
      Waiter waiter) {
    this.layout = layout;
    this.maxSocketPathBytes = platform.maxSocketPathBytes();
    this.serverHost = configuration.serverHost().toString();
    this.environment = environment(configuration);
    this.timeout = timeout;
    this.log = log;
    this.clock = clock;
    this.waiter = waiter;
    this.startLock = new InterProcessLock(layout.startLock(), clock, waiter);
  }

  /** Starts an agent if there is no socket file; does not check whether an agent listens on it. */
  StartResult startIfNoSocket() throws InterruptedException {
    if (Files.exists(layout.socket())) {
      return new StartResult.Running();
    }
    return start();
  }

  /** Starts an agent if none accepts connections. */
  StartResult start() throws InterruptedException {
    int length =
        layout.socket().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    if (length > maxSocketPathBytes) {
      return new StartResult.Failed(
          "the path %s has %d bytes, and the path of a UNIX socket may have at most %d: choose a shorter directory"
              .formatted(layout.socket(), length, maxSocketPathBytes));
    }
    try {
      return startLock.withLock(LOCK_TIMEOUT, this::startLocked);
    } catch (TimeoutException lockedTooLong) {
      return new StartResult.Failed("another process has tried to start it for 10 s");
    } catch (IOException | InterProcessLock.ActionFailedException failed) {
      return new StartResult.Failed(failed.toString());
    }
  }

  private StartResult startLocked() throws IOException, InterruptedException {
    if (isListening(layout.socket())) {
      return new StartResult.Running();
    }
    removeStaleSocket();
    long begin = clock.nanos();
    Process process = spawn();
    boolean isSecondAttempt = false;
    while (true) {
      Duration after = Duration.ofNanos(clock.nanos() - begin);
      if (isListening(layout.socket())) {
        log.log(Level.INFO, "EchoPost's agent runs, started in %d ms".formatted(after.toMillis()));
        return new StartResult.Started(process.pid(), after);
      }
      if (process.waitFor(SOCKET_POLL.toMillis(), TimeUnit.MILLISECONDS)) {
        int status = process.exitValue();
        if (status > KILLED_BY && !isSecondAttempt) {
          // An agent that is killed is started again: later by its guardian, here by this loop.
          process = spawn();
          isSecondAttempt = true;
        } else if (status != 0 && status != OTHER_AGENT_RUNS) {
          return new StartResult.Ended(
              "%s ended with status %d: run it in a terminal to see why"
                  .formatted(layout.program(), status));
        }
        waiter.sleep(SOCKET_POLL);
      }
      if (after.compareTo(timeout) > 0) {
        return new StartResult.NotReady(after);
      }
    }
  }

  private Process spawn() throws IOException {
    return DetachedProcess.start(
        List.of(
            layout.program().toString(),
            "-datanadhi",
            layout.directory().toString(),
            "-health-url",
            serverHost),
        layout.directory(),
        environment);
  }

  /** The agent uses the SDK's certificates and proxy for the main server. */
  private static Map<String, String> environment(DataNadhiConfiguration configuration) {
    Map<String, String> variables =
        new HashMap<>(HttpTransports.proxies(configuration).ofAgent(configuration.serverHost()));
    variables.put("DATANADHI_API_KEY", configuration.apiKey());
    configuration.caFile().ifPresent(file -> variables.put("SSL_CERT_FILE", file.toString()));
    return variables;
  }

  /** Whether an agent accepts connections on the socket. */
  static boolean isListening(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException notListening) {
      return false;
    }
  }

  /**
   * Removes the socket file of an agent that was killed. Between the check and the deletion another
   * agent could create its socket under that name: so the file is moved first, and moved back if an
   * agent listens on it.
   */
  private void removeStaleSocket() throws IOException {
    Path moved = layout.staleSocket();
    try {
      Files.move(
          layout.socket(),
          moved,
          java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    } catch (java.nio.file.NoSuchFileException noSocket) {
      return;
    }
    if (isListening(moved)) {
      Files.move(moved, layout.socket(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } else {
      Files.delete(moved);
    }
  }
}
