package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.logging.EventNames;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Checks that failed sends have the one allowed cause: the client saw the socket, the socket was
/// removed, and the client's connect found no such file. Each needs a proof: the connect failed
/// because the file did not exist, and between the check for the socket and the connect an agent
/// removed it, by that agent's log, or another process deleted it. Thread-safe.
final class SendFailureCheck {
  /// An agent's removal of its own socket.
  ///
  /// @param from the agent logged that it is about to remove the socket
  /// @param to the agent's next log line
  private record SocketRemoval(Instant from, Instant to) {}

  /// Slightly less than the time after which an agent that exits closes a silent connection.
  private static final Duration MAX_STALL = Duration.ofMillis(450);

  /// Times in the log are truncated to milliseconds.
  private static final Duration LOG_TIME_RESOLUTION = Duration.ofMillis(1);

  private static final Pattern LOG_LINE =
      Pattern.compile("\"time\":\"([^\"]+)\".*\"event\":\"([^\"]+)\"");

  private final String scenario;
  private final StallDetector stalls;
  private final CampaignResult result;
  private final List<SimulatedSdk.SendResult.NoListener> withoutListener = new ArrayList<>();
  private final List<SimulatedSdk.SendResult.Failed> failures = new ArrayList<>();
  private final List<SocketRemoval> removals = new ArrayList<>();

  /// @param scenario identifies the scenario in the text of violations
  SendFailureCheck(String scenario, StallDetector stalls, CampaignResult result) {
    this.scenario = scenario;
    this.stalls = stalls;
    this.result = result;
  }

  synchronized void add(SimulatedSdk.SendResult send) {
    result.add("sends", 1);
    switch (send) {
      case SimulatedSdk.SendResult.Acknowledged() -> {}
      case SimulatedSdk.SendResult.NoListener noListener -> withoutListener.add(noListener);
      case SimulatedSdk.SendResult.Failed failed -> failures.add(failed);
    }
  }

  /// Adds the removals of the socket that an agent has logged.
  synchronized void addAgentLog(String log) {
    Instant from = Instant.MAX;
    Matcher line = LOG_LINE.matcher(log);
    while (line.find()) {
      Instant time = Instant.parse(line.group(1));
      if (line.group(2).equals(EventNames.SERVING_RESUMED)) {
        result.add("agents that resumed serving", 1);
      }
      if (!from.equals(Instant.MAX)) {
        removals.add(new SocketRemoval(from, time));
      }
      from = line.group(2).equals(EventNames.DRAINING) ? time : Instant.MAX;
    }
  }

  /// Adds a violation for each failed send without the allowed cause.
  ///
  /// @param deletions when application processes deleted an existing socket
  synchronized void check(List<Instant> deletions) {
    for (SimulatedSdk.SendResult.NoListener send : withoutListener) {
      Instant checked = send.checked().minus(LOG_TIME_RESOLUTION);
      boolean removed =
          removals.stream()
              .anyMatch(removal ->
                  !removal.to().plus(LOG_TIME_RESOLUTION).isBefore(checked)
                      && !removal.from().isAfter(send.failed()));
      boolean deleted =
          deletions.stream().anyMatch(at -> !at.isBefore(checked) && !at.isAfter(send.failed()));
      if (send.noSuchFile() && (removed || deleted)) {
        result.add("sends that met a removed socket", 1);
        result.recordTime(
            "time from check to failed connect",
            Duration.between(send.checked(), send.failed()).toNanos());
      } else {
        addViolationUnlessStalled(
            send.checked(),
            send.failed(),
            send + " has no proof: sockets removed " + removals + ", deleted " + deletions);
      }
    }
    for (SimulatedSdk.SendResult.Failed failed : failures) {
      addViolationUnlessStalled(failed.checked(), failed.failed(), "a send failed: " + failed);
    }
  }

  /// An agent that exits closes a connection on which a client sends nothing for half a second. No
  /// SDK waits that long, but these clients do when the machine stalls.
  private void addViolationUnlessStalled(Instant from, Instant to, String description) {
    if (stalls.totalBetween(from, to).compareTo(MAX_STALL) >= 0) {
      result.add("sends that failed after a stall of this machine", 1);
    } else {
      result.addViolation(scenario + ": " + description);
    }
  }
}
