package com.datanadhi.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Server programs that `scripts/install-tools` installs.
final class InstalledTool {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
  private static final int MAX_STARTS = 5;

  private InstalledTool() {}

  /// The program: in `target/tools/bin` of the working directory or of one above it, else on the
  /// PATH.
  ///
  /// @throws IllegalStateException there is none; the message says how to install it
  private static Path program(String name) {
    List<Path> candidates = new ArrayList<>();
    for (Path above = Path.of("").toAbsolutePath(); above != null; above = above.getParent()) {
      candidates.add(above.resolve("target/tools/bin").resolve(name));
    }
    for (String directory : System.getenv("PATH").split(":", -1)) {
      candidates.add(Path.of(directory, name));
    }
    return candidates.stream()
        .filter(file -> Files.isExecutable(file) && !Files.isDirectory(file))
        .findFirst()
        .orElseThrow(
            () -> new IllegalStateException("no " + name + ": scripts/install-tools " + name));
  }

  /// Makes the arguments of a server for its port.
  @FunctionalInterface
  interface Arguments {
    List<String> on(int port);
  }

  /// @param port on 127.0.0.1
  record Server(Process process, int port) {}

  /// Starts a server on a free port of 127.0.0.1, and returns when it accepts connections.
  static Server start(String name, Path output, Arguments arguments) throws IOException {
    for (int attempt = 1; ; attempt++) {
      int port = freePort();
      Process process = start(name, output, arguments, port);
      try {
        Polling.until(
            () -> !process.isAlive() || accepts(port),
            Duration.ofMillis(20),
            START_TIMEOUT,
            () -> name + " does not start, see " + output);
        if (process.isAlive()) {
          return new Server(process, port);
        }
      } catch (IllegalStateException tooSlow) {
        process.destroyForcibly();
        throw tooSlow;
      }
      // Another process can have taken the port.
      if (attempt == MAX_STARTS) {
        throw new IOException(name + " ends at once:\n" + Files.readString(output));
      }
    }
  }

  /// Starts a server on a port, and does not wait for it.
  static Process start(String name, Path output, Arguments arguments, int port) throws IOException {
    List<String> command = new ArrayList<>(List.of(program(name).toString()));
    command.addAll(arguments.on(port));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
        .start();
  }

  static boolean accepts(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException refused) {
      return false;
    }
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
