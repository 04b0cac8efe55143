package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.time.Instant;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// A [StatusSnapshot] as text and as JSON.
public final class StatusText {
  private static final int NAME_WIDTH = 10;

  private StatusText() {}

  /// The text of `echopost status`.
  ///
  /// @param nowMillis UTC, milliseconds since 1970
  public static String of(StatusSnapshot status, long nowMillis, Terminal terminal) {
    StringBuilder text = new StringBuilder();
    row(text, terminal, "agent", agent(status, nowMillis, terminal));
    row(text, terminal, "server", server(status, nowMillis, terminal));
    row(text, terminal, "pending", pending(status.backlog(), nowMillis));
    row(text, terminal, "rejected", rejected(status, terminal));
    row(text, terminal, "rates", rates(status.agent()));
    row(text, terminal, "drained", drained(status));
    row(text, terminal, "disk", disk(status, terminal));
    Totals totals = status.totals();
    row(text, terminal, "ledger", LedgerText.text(totals));
    return text.toString();
  }

  private static void row(StringBuilder text, Terminal terminal, String name, String value) {
    text.append(terminal.styled(AnsiStyle.BOLD, ("%-" + NAME_WIDTH + "s").formatted(name)))
        .append(value)
        .append('\n');
  }

  private static String agent(StatusSnapshot status, long nowMillis, Terminal terminal) {
    AgentStatus agent = status.agent();
    return switch (status.presence()) {
      case RUNNING ->
          terminal.styled(AnsiStyle.GREEN, "running")
              + (agent == null
                  ? ", pid " + status.lockHolder() + ", but " + problem(status)
                  : ", pid "
                      + agent.pid()
                      + ", since "
                      + since(agent.startedAt(), nowMillis)
                      + ", "
                      + agent.version());
      case UNRESPONSIVE -> terminal.styled(AnsiStyle.RED, "not answering") + ": " + problem(status);
      case BUSY ->
          terminal.styled(AnsiStyle.YELLOW, "not answering")
              + ": process "
              + status.lockHolder()
              + " holds the directory's lock: an agent that starts or exits, or a command";
      case ABSENT ->
          (status.backlog().records() > 0
                  ? terminal.styled(AnsiStyle.RED, "not running")
                  : "not running")
              + (status.lastRun() == null ? "" : "; " + status.lastRun().text());
    };
  }

  private static String problem(StatusSnapshot status) {
    return status.agentProblem() == null
        ? "it closed the connection: try again"
        : status.agentProblem();
  }

  private static String server(StatusSnapshot status, long nowMillis, Terminal terminal) {
    AgentStatus agent = status.agent();
    if (agent == null) {
      return "unknown";
    }
    String url = "  " + Terminal.withoutControls(agent.server());
    return switch (agent.serverHealth()) {
      case UP ->
          terminal.styled(AnsiStyle.GREEN, "up")
              + " since "
              + since(agent.serverSince(), nowMillis)
              + url;
      case DOWN ->
          terminal.styled(AnsiStyle.RED, "down")
              + " since "
              + since(agent.serverSince(), nowMillis)
              + url
              + reason(agent);
      case UNKNOWN -> "not yet known" + url;
    };
  }

  private static String reason(AgentStatus agent) {
    return agent.serverReason().isEmpty()
        ? ""
        : "\n" + " ".repeat(NAME_WIDTH) + Terminal.withoutControls(agent.serverReason());
  }

  private static String pending(BufferView.Backlog backlog, long nowMillis) {
    @Nullable Long oldest = backlog.nextReceivedAt();
    if (backlog.records() == 0 || oldest == null) {
      return "nothing";
    }
    return "%s, %s%s, oldest received %s ago"
        .formatted(
            Quantities.records(backlog.records()),
            backlog.isEstimate() ? "about " : "",
            Quantities.bytes(backlog.bytes()),
            Quantities.duration((nowMillis - oldest) / 1_000));
  }

  private static String rejected(StatusSnapshot status, Terminal terminal) {
    return status.rejectedByStatus().isEmpty()
        ? "nothing"
        : terminal.styled(
            AnsiStyle.YELLOW,
            status.rejectedByStatus().entrySet().stream()
                .map(entry -> entry.getValue() + " with status " + entry.getKey())
                .collect(Collectors.joining(", ")));
  }

  private static String rates(@Nullable AgentStatus agent) {
    return agent == null
        ? "unknown"
        : String.format(
            Locale.ROOT,
            "%.1f/s in, %.1f/s out (mean of the last minute)",
            agent.acceptedPerSecond(),
            agent.deliveredPerSecond());
  }

  private static String drained(StatusSnapshot status) {
    if (status.backlog().records() == 0) {
      return "now";
    }
    AgentStatus agent = status.agent();
    if (agent == null) {
      return status.presence() == StatusSnapshot.Presence.ABSENT
          ? "not until an agent runs"
          : "unknown";
    }
    @Nullable Double seconds = status.drainedInSeconds();
    if (seconds != null) {
      return "in about " + Quantities.duration(Math.round(seconds));
    }
    return agent.serverHealth() == ServerHealth.UP
        ? "not at these rates"
        : "not until the server is up";
  }

  private static String disk(StatusSnapshot status, Terminal terminal) {
    String free = Quantities.bytes(status.diskSpace().usable()) + " free";
    return switch (status.storage()) {
      case OK -> free;
      case FULL ->
          terminal.styled(AnsiStyle.RED, "full")
              + ": "
              + free
              + ", records are refused until "
              + Quantities.bytes(status.diskSpace().needed())
              + " more are free";
      case FAILED -> terminal.styled(AnsiStyle.RED, "failing") + ": see 'echopost logs'; " + free;
      case BLOCKED ->
          terminal.styled(AnsiStyle.RED, "blocked")
              + ": records wait or are refused, because "
              + Terminal.withoutControls(status.storageProblem())
              + "; "
              + free;
    };
  }

  private static String since(long thenMillis, long nowMillis) {
    return Instant.ofEpochMilli(thenMillis / 1_000 * 1_000)
        + " ("
        + Quantities.duration((nowMillis - thenMillis) / 1_000)
        + ")";
  }

  /// Writes the members of `echopost status -json`.
  ///
  /// @param nowMillis UTC, milliseconds since 1970
  public static void write(StatusSnapshot status, long nowMillis, JsonGenerator json) {
    AgentStatus agent = status.agent();
    json.writeObjectPropertyStart("agent");
    json.writeStringProperty("state", JsonOutput.name(status.presence()));
    if (agent != null) {
      json.writeNumberProperty("pid", agent.pid());
      json.writeNumberProperty("since", agent.startedAt());
      json.writeStringProperty("version", agent.version());
    } else if (status.lockHolder() != null && status.lockHolder().matches("\\d{1,18}")) {
      json.writeNumberProperty("pid", Long.parseLong(status.lockHolder()));
    }
    LastRun lastRun = status.lastRun();
    if (lastRun != null && lastRun.exitCode() != null) {
      json.writeStringProperty("last_ended_at", lastRun.endedAt());
      json.writeNumberProperty("last_exit_code", lastRun.exitCode());
    }
    json.writeEndObject();
    json.writeObjectPropertyStart("server");
    if (agent == null) {
      json.writeStringProperty("state", "unknown");
    } else {
      json.writeStringProperty("state", JsonOutput.name(agent.serverHealth()));
      json.writeNumberProperty("since", agent.serverSince());
      json.writeStringProperty("url", agent.server());
      if (!agent.serverReason().isEmpty()) {
        json.writeStringProperty("reason", agent.serverReason());
      }
    }
    json.writeEndObject();
    pending(status.backlog(), nowMillis, json);
    json.writeObjectPropertyStart("rejected");
    status
        .rejectedByStatus()
        .forEach((code, count) -> json.writeNumberProperty(Integer.toString(code), count));
    json.writeEndObject();
    if (agent != null) {
      json.writeObjectPropertyStart("rates");
      json.writeNumberProperty("in_per_second", agent.acceptedPerSecond());
      json.writeNumberProperty("out_per_second", agent.deliveredPerSecond());
      json.writeEndObject();
    }
    @Nullable Double seconds = status.drainedInSeconds();
    if (seconds != null) {
      json.writeNumberProperty("drained_in_seconds", Math.round(seconds));
    }
    json.writeObjectPropertyStart("disk");
    json.writeStringProperty("state", JsonOutput.name(status.storage()));
    if (!status.storageProblem().isEmpty()) {
      json.writeStringProperty("problem", status.storageProblem());
    }
    json.writeNumberProperty("free_bytes", status.diskSpace().usable());
    json.writeNumberProperty("needed_bytes", status.diskSpace().needed());
    json.writeEndObject();
    LedgerText.write(status.totals(), json);
  }

  private static void pending(BufferView.Backlog backlog, long nowMillis, JsonGenerator json) {
    json.writeObjectPropertyStart("pending");
    json.writeNumberProperty("records", backlog.records());
    json.writeNumberProperty("bytes", backlog.bytes());
    json.writeBooleanProperty("bytes_estimated", backlog.isEstimate());
    @Nullable Long oldest = backlog.nextReceivedAt();
    if (oldest != null) {
      json.writeNumberProperty("oldest_received_at", oldest);
      json.writeNumberProperty("oldest_age_ms", Math.max(0, nowMillis - oldest));
    }
    json.writeEndObject();
  }
}
