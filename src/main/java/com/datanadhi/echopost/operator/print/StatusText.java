package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.operator.run.RejectedBatchRun;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.upstream.ServerHealth;
import java.time.Instant;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// An [StatusSnapshot] in words, and for scripts.
public final class StatusText {
  private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};

  private StatusText() {}

  public static String of(StatusSnapshot now, long millis, Terminal terminal) {
    StringBuilder text = new StringBuilder();
    row(text, terminal, "agent", agent(now, millis, terminal));
    row(text, terminal, "server", server(now, millis, terminal));
    row(text, terminal, "pending", pending(now.backlog(), millis));
    row(text, terminal, "rejected", rejected(now, terminal));
    row(text, terminal, "rates", rates(now.agent()));
    row(text, terminal, "drained", drained(now));
    row(text, terminal, "disk", disk(now, terminal));
    Totals totals = now.totals();
    row(text, terminal, "ledger", LedgerText.text(totals));
    return text.toString();
  }

  private static void row(StringBuilder text, Terminal terminal, String name, String value) {
    text.append(terminal.paint(AnsiStyle.STRONG, "%-10s".formatted(name)))
        .append(value)
        .append('\n');
  }

  private static String agent(StatusSnapshot now, long millis, Terminal terminal) {
    AgentStatus agent = now.agent();
    return switch (now.presence()) {
      case RUNNING ->
          terminal.paint(AnsiStyle.GOOD, "running")
              + (agent == null
                  ? ", pid " + now.holder() + "; more it does not say: " + now.silence()
                  : ", pid "
                      + agent.pid()
                      + ", since "
                      + since(agent.startedAt(), millis)
                      + ", "
                      + agent.version());
      case BUSY ->
          terminal.paint(AnsiStyle.ODD, "not answering")
              + ": process "
              + now.holder()
              + " holds the directory; an agent that starts or leaves, or a command";
      case ABSENT ->
          (now.backlog().records() > 0
                  ? terminal.paint(AnsiStyle.BAD, "not running")
                  : "not running")
              + (now.lastRun() == null ? "" : "; " + now.lastRun().text());
    };
  }

  private static String server(StatusSnapshot now, long millis, Terminal terminal) {
    AgentStatus agent = now.agent();
    if (agent == null) {
      return "not known";
    }
    String url = "  " + Terminal.plain(agent.server());
    return switch (agent.serverHealth()) {
      case UP ->
          terminal.paint(AnsiStyle.GOOD, "up")
              + " since "
              + since(agent.serverSince(), millis)
              + url;
      case DOWN ->
          terminal.paint(AnsiStyle.BAD, "down")
              + " since "
              + since(agent.serverSince(), millis)
              + url;
      case UNKNOWN -> "not known yet" + url;
    };
  }

  private static String pending(BufferView.Backlog backlog, long millis) {
    @Nullable Long next = backlog.nextReceivedAt();
    if (backlog.records() == 0 || next == null) {
      return "nothing";
    }
    return "%s, %s%s, the oldest came %s ago"
        .formatted(
            RejectedBatchRun.records(backlog.records()),
            backlog.isEstimate() ? "about " : "",
            bytes(backlog.bytes()),
            duration((millis - next) / 1_000));
  }

  private static String rejected(StatusSnapshot now, Terminal terminal) {
    return now.rejected().isEmpty()
        ? "nothing"
        : terminal.paint(
            AnsiStyle.ODD,
            now.rejected().entrySet().stream()
                .map(status -> status.getValue() + " with status " + status.getKey())
                .collect(Collectors.joining(", ")));
  }

  private static String rates(@Nullable AgentStatus agent) {
    return agent == null
        ? "not known"
        : String.format(
            Locale.ROOT,
            "%.1f/s in, %.1f/s out, in the last minute",
            agent.acceptedPerSecond(),
            agent.deliveredPerSecond());
  }

  private static String drained(StatusSnapshot now) {
    if (now.backlog().records() == 0) {
      return "now";
    }
    AgentStatus agent = now.agent();
    if (agent == null) {
      return now.presence() == StatusSnapshot.Presence.ABSENT
          ? "not before an agent runs"
          : "not known";
    }
    @Nullable Double seconds = now.drainedInSeconds();
    if (seconds != null) {
      return "in about " + duration(Math.round(seconds));
    }
    return agent.serverHealth() == ServerHealth.UP
        ? "not at these rates"
        : "not before the server is up";
  }

  private static String disk(StatusSnapshot now, Terminal terminal) {
    String room = bytes(now.room().usable()) + " free";
    return switch (now.storage()) {
      case OK -> room;
      case FULL ->
          terminal.paint(AnsiStyle.BAD, "full")
              + ": "
              + room
              + ", records are refused until there are "
              + bytes(now.room().needed())
              + " more";
      case FAILED -> terminal.paint(AnsiStyle.BAD, "failing") + ": see 'echopost logs'; " + room;
    };
  }

  private static String since(long then, long millis) {
    return Instant.ofEpochMilli(then / 1_000 * 1_000)
        + " ("
        + duration((millis - then) / 1_000)
        + ")";
  }

  /// As a person says it: two units at most.
  public static String duration(long seconds) {
    long s = Math.max(0, seconds);
    if (s < 60) {
      return s + "s";
    }
    if (s < 3_600) {
      return s / 60 + "m " + s % 60 + "s";
    }
    return s < 86_400
        ? s / 3_600 + "h " + s % 3_600 / 60 + "m"
        : s / 86_400 + "d " + s % 86_400 / 3_600 + "h";
  }

  static String bytes(long bytes) {
    double size = bytes;
    int unit = 0;
    while (size >= 1_024 && unit < UNITS.length - 1) {
      size /= 1_024;
      unit++;
    }
    return unit == 0 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f %s", size, UNITS[unit]);
  }

  public static void write(StatusSnapshot now, long millis, JsonGenerator json) {
    AgentStatus agent = now.agent();
    json.writeName("agent");
    json.writeStartObject();
    json.writeStringProperty("state", JsonOutput.name(now.presence()));
    if (agent != null) {
      json.writeNumberProperty("pid", agent.pid());
      json.writeNumberProperty("since", agent.startedAt());
      json.writeStringProperty("version", agent.version());
    } else if (now.holder() != null && now.holder().matches("\\d{1,18}")) {
      json.writeNumberProperty("pid", Long.parseLong(now.holder()));
    }
    LastRun last = now.lastRun();
    if (last != null && last.exitCode() != null) {
      json.writeStringProperty("last_ended_at", last.endedAt());
      json.writeNumberProperty("last_exit_code", last.exitCode());
    }
    json.writeEndObject();
    json.writeName("server");
    json.writeStartObject();
    if (agent == null) {
      json.writeStringProperty("state", "unknown");
    } else {
      json.writeStringProperty("state", JsonOutput.name(agent.serverHealth()));
      json.writeNumberProperty("since", agent.serverSince());
      json.writeStringProperty("url", agent.server());
    }
    json.writeEndObject();
    pending(now.backlog(), millis, json);
    json.writeName("rejected");
    json.writeStartObject();
    now.rejected()
        .forEach((status, count) -> json.writeNumberProperty(Integer.toString(status), count));
    json.writeEndObject();
    if (agent != null) {
      json.writeName("rates");
      json.writeStartObject();
      json.writeNumberProperty("in_per_second", agent.acceptedPerSecond());
      json.writeNumberProperty("out_per_second", agent.deliveredPerSecond());
      json.writeEndObject();
    }
    @Nullable Double seconds = now.drainedInSeconds();
    if (seconds != null) {
      json.writeNumberProperty("drained_in_seconds", Math.round(seconds));
    }
    json.writeName("disk");
    json.writeStartObject();
    json.writeStringProperty("state", JsonOutput.name(now.storage()));
    json.writeNumberProperty("free_bytes", now.room().usable());
    json.writeNumberProperty("needed_bytes", now.room().needed());
    json.writeEndObject();
    LedgerText.write(now.totals(), json);
  }

  private static void pending(BufferView.Backlog backlog, long millis, JsonGenerator json) {
    json.writeName("pending");
    json.writeStartObject();
    json.writeNumberProperty("records", backlog.records());
    json.writeNumberProperty("bytes", backlog.bytes());
    json.writeBooleanProperty("bytes_estimated", backlog.isEstimate());
    @Nullable Long next = backlog.nextReceivedAt();
    if (next != null) {
      json.writeNumberProperty("oldest_received_at", next);
      json.writeNumberProperty("oldest_age_ms", Math.max(0, millis - next));
    }
    json.writeEndObject();
  }
}
