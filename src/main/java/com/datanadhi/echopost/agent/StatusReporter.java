package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.ingest.StatusSource;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.metrics.Rate;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.replay.Replay;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerState;
import java.nio.file.Path;
import java.time.Duration;

/// Reports the status and the metrics of the running agent, which it reads from its parts.
/// Thread-safe.
final class StatusReporter implements StatusSource {
  private static final Duration TURN = Duration.ofSeconds(1);
  private static final double MILLIS = 1e3;

  private final AgentIdentity identity;
  private final Path directory;
  private final Buffer buffer;
  private final Ingest ingest;
  private final Replay replay;
  private final ServerState serverState;
  private final Clock clock;
  private final Rate accepting;
  private final Rate delivering;

  StatusReporter(
      AgentIdentity identity,
      Path directory,
      Buffer buffer,
      Ingest ingest,
      Replay replay,
      ServerState serverState,
      Clock clock) {
    this.identity = identity;
    this.directory = directory;
    this.buffer = buffer;
    this.ingest = ingest;
    this.replay = replay;
    this.serverState = serverState;
    this.clock = clock;
    this.accepting = new Rate(buffer::accepted, clock);
    this.delivering = new Rate(replay::delivered, clock);
  }

  /// Samples the rates once a second until interrupted.
  void run() throws InterruptedException {
    Waiter waiter = new Waiter();
    while (true) {
      accepting.sample();
      delivering.sample();
      waiter.await(TURN);
    }
  }

  @Override
  public AgentStatus status() {
    ServerState.Snapshot serverNow = serverState.snapshot();
    return new AgentStatus(
        identity.pid(),
        identity.startedAt(),
        identity.version(),
        identity.serverUrl(),
        serverNow.health(),
        serverNow.sinceMillis(),
        serverNow.reason(),
        storage(),
        storageProblem(),
        accepting.perSecond(),
        delivering.perSecond());
  }

  @Override
  public ServerHealth serverHealth() {
    return serverState.health();
  }

  private AgentStatus.StorageState storage() {
    if (buffer.failure() != null) {
      return AgentStatus.StorageState.FAILED;
    }
    if (buffer.shortage() != 0) {
      return AgentStatus.StorageState.FULL;
    }
    return buffer.problem() == null
        ? AgentStatus.StorageState.OK
        : AgentStatus.StorageState.BLOCKED;
  }

  private String storageProblem() {
    StorageException failure = buffer.failure();
    String problem = failure == null ? buffer.problem() : failure.getMessage();
    return problem == null ? "" : problem;
  }

  @Override
  public String metrics(boolean openMetrics) {
    return metrics(openMetrics, true);
  }

  /// The metrics at the end of the run, in Prometheus' text format. After the buffer was closed.
  String lastMetrics() {
    return metrics(false, false);
  }

  private String metrics(boolean openMetrics, boolean isUp) {
    Exposition out = Exposition.ofAgent(directory, openMetrics, isUp);
    out.gauges("echopost_build_info", "The program's version, as a label; always 1.");
    out.sample(1, "version", identity.version());
    out.gauge(
        "echopost_start_time_seconds",
        "When the agent started, in seconds since 1970.",
        identity.startedAt() / MILLIS);
    out.gauge(
        "echopost_collected_time_seconds",
        "When these values were collected, in seconds since 1970.",
        clock.millis() / MILLIS);
    ingest.writeTo(out);
    buffer.writeTo(out);
    out.state("echopost_storage_state", "Whether the storage accepts records.", storage());
    replay.writeTo(out);
    ServerState.Snapshot serverNow = serverState.snapshot();
    out.state(
        "echopost_server_state",
        "The main server's health by the last probe or delivery.",
        serverNow.health());
    out.gauge(
        "echopost_server_state_change_time_seconds",
        "When the main server's state last changed, in seconds since 1970.",
        serverNow.sinceMillis() / MILLIS);
    out.gauge(
        "echopost_ingest_rate_records_per_second",
        "Records accepted per second, as a mean over the last minute of this run.",
        accepting.perSecond());
    out.gauge(
        "echopost_replay_rate_records_per_second",
        "Records delivered per second, as a mean over the last minute of this run.",
        delivering.perSecond());
    ProcessMemoryMetrics.writeTo(out);
    return out.text();
  }
}
