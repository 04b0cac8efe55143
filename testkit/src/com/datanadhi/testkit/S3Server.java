package com.datanadhi.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// An S3 server on loopback: versitygw, on a directory. It checks signatures, checksums and
/// conditions. A bucket is a directory in that directory, and an object a file in it. Thread-safe,
/// but for [#stop] and [#restart].
public final class S3Server implements AutoCloseable {
  /// The bucket that each server has.
  public static final String BUCKET = "hub-objects";

  /// The owner of the buckets.
  public static final String ACCESS_KEY = "echopostroot";

  public static final String SECRET_KEY = "echopost-root-secret";

  private static final String PROGRAM = "versitygw";
  private static final Duration RESTART_TIMEOUT = Duration.ofSeconds(20);

  private final Path home;
  private final int port;
  private Process process;

  private S3Server(Path home, InstalledTool.Server server) {
    this.home = home;
    this.port = server.port();
    this.process = server.process();
  }

  /// Starts a server with an empty bucket, and returns when it accepts requests.
  ///
  /// @param home an empty or missing directory for its files, on a file system with extended
  ///   attributes
  /// @throws IllegalStateException versitygw is not installed; the message says how to do that
  public static S3Server start(Path home) throws IOException {
    Files.createDirectories(home.resolve("buckets").resolve(BUCKET));
    Files.createDirectories(home.resolve("users"));
    return new S3Server(
        home, InstalledTool.start(PROGRAM, output(home), port -> arguments(home, port)));
  }

  private static Path output(Path home) {
    return home.resolve("output");
  }

  private static List<String> arguments(Path home, int port) {
    return List.of(
        "--port",
        "127.0.0.1:" + port,
        "--access",
        ACCESS_KEY,
        "--secret",
        SECRET_KEY,
        "--keep-alive",
        "--quiet",
        "--iam-dir",
        home.resolve("users").toString(),
        "posix",
        home.resolve("buckets").toString());
  }

  /// Its port on 127.0.0.1.
  public int port() {
    return port;
  }

  /// Its address, `http://127.0.0.1:PORT`.
  public String endpoint() {
    return "http://127.0.0.1:" + port;
  }

  /// The environment variables with which a hub uses this server as the owner of its buckets.
  public Map<String, String> environment() {
    return environment(endpoint(), ACCESS_KEY, SECRET_KEY);
  }

  /// The environment variables for another address, such as that of a proxy, or another user.
  public static Map<String, String> environment(String endpoint, String access, String secret) {
    return Map.of(
        "HUB_S3_ENDPOINT",
        endpoint,
        "AWS_REGION",
        "us-east-1",
        "AWS_ACCESS_KEY_ID",
        access,
        "AWS_SECRET_ACCESS_KEY",
        secret);
  }

  /// The directory with the files of a bucket's objects, to look at or to tamper with.
  public Path files(String bucket) {
    return home.resolve("buckets").resolve(bucket);
  }

  /// Adds a user who may do nothing with the buckets of others.
  public void createUser(String access, String secret) throws IOException, InterruptedException {
    Path output = home.resolve("create-user");
    Process created =
        InstalledTool.start(
            PROGRAM,
            output,
            ignored ->
                List.of(
                    "admin",
                    "--access",
                    ACCESS_KEY,
                    "--secret",
                    SECRET_KEY,
                    "--endpoint-url",
                    endpoint(),
                    "create-user",
                    "--access",
                    access,
                    "--secret",
                    secret,
                    "--role",
                    "user"),
            port);
    if (created.waitFor() != 0) {
      throw new IOException("no user was created:\n" + Files.readString(output));
    }
  }

  /// Kills the server. Its objects stay.
  public void stop() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /// Whether the server runs.
  public boolean isAlive() {
    return process.isAlive();
  }

  /// Starts the server again after [#stop], on the same port.
  public void restart() throws IOException {
    process = InstalledTool.start(PROGRAM, output(home), same -> arguments(home, same), port);
    Polling.until(
        () -> InstalledTool.accepts(port),
        Duration.ofMillis(20),
        RESTART_TIMEOUT,
        () -> "versitygw does not start again, see " + output(home));
  }

  @Override
  public void close() {
    Processes.kill(process);
  }
}
