package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.internal.files.InterProcessLock;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Sees to it that an agent runs on the directory: at most one start at a time, of all processes.
 */
final class AgentStarter {
  private static final Duration OTHERS = Duration.ofSeconds(10);
  private static final int ANOTHER_AGENT_LIVES = 3;

  /** Exit statuses from here on are the numbers of signals. */
  private static final int KILLED_BY = 128;

  private final DirectoryLayout layout;
  private final int longestSocketPath;
  private final String apiKey;
  private final String serverHost;
  private final Duration patience;
  private final RateLimitedLog notices;

  /**
   * @param patience how long a start may take until the socket answers
   */
  AgentStarter(
      DirectoryLayout layout,
      Platform platform,
      Configuration configuration,
      Duration patience,
      RateLimitedLog notices) {
    this.layout = layout;
    this.longestSocketPath = platform.longestSocketPath();
    this.apiKey = configuration.apiKey();
    this.serverHost = configuration.serverHost().toString();
    this.patience = patience;
    this.notices = notices;
  }

  /** Starts an agent if the socket's name is not there; its being there is taken for an agent. */
  StartResult startIfMissing() throws InterruptedException {
    if (Files.exists(layout.socket())) {
      return new StartResult.Running();
    }
    return start();
  }

  /** Starts an agent if none answers. */
  StartResult start() throws InterruptedException {
    int length =
        layout.socket().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    if (length > longestSocketPath) {
      return new StartResult.Failed(
          "the path %s has %d bytes, and a UNIX socket's may have %d: choose a shorter directory"
              .formatted(layout.socket(), length, longestSocketPath));
    }
    try {
      return InterProcessLock.guarded(layout.startLock(), OTHERS, this::startAlone);
    } catch (TimeoutException busy) {
      return new StartResult.Failed("another process has been starting it for 10 s");
    } catch (IOException | InterProcessLock.Failed failed) {
      return new StartResult.Failed(failed.toString());
    }
  }

  private StartResult startAlone() throws IOException, InterruptedException {
    if (answers(layout.socket())) {
      return new StartResult.Running();
    }
    removeStaleSocket();
    long begun = System.nanoTime();
    Process process = spawn();
    boolean isSecond = false;
    while (true) {
      Duration after = Duration.ofNanos(System.nanoTime() - begun);
      if (answers(layout.socket())) {
        notices.say(Level.INFO, "EchoPost runs, started in %d ms".formatted(after.toMillis()));
        return new StartResult.Started(process.pid(), after);
      }
      if (process.waitFor(5, TimeUnit.MILLISECONDS)) {
        int status = process.exitValue();
        if (status > KILLED_BY && !isSecond) {
          // Killed in its start, as it may be later, when it is started again too.
          process = spawn();
          isSecond = true;
        } else if (status != 0 && status != ANOTHER_AGENT_LIVES) {
          return new StartResult.Failed(
              "%s ended with status %d".formatted(layout.program(), status));
        }
        Thread.sleep(5);
      }
      if (after.compareTo(patience) > 0) {
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
        Map.of("DATANADHI_API_KEY", apiKey));
  }

  /** Whether an agent listens there. */
  static boolean answers(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException refused) {
      return false;
    }
  }

  /**
   * Removes the name that a dead agent left. Between our look and our delete an agent could have
   * taken the name: so it is moved away first, and put back if somebody answers there.
   */
  private void removeStaleSocket() throws IOException {
    Path aside = layout.directory().resolve(".sdk-stale.sock");
    try {
      Files.move(
          layout.socket(),
          aside,
          java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    } catch (java.nio.file.NoSuchFileException none) {
      return;
    }
    if (answers(aside)) {
      Files.move(aside, layout.socket(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } else {
      Files.delete(aside);
    }
  }
}
