package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.HubStatus;
import com.datanadhi.hub.query.RecordLine;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Prints a status for people.
final class StatusText {
  private StatusText() {}

  /// Whether a person has to look at something: the exit status is 1 then.
  static boolean needsAttention(HubStatus status) {
    return (status.pid() != null && !status.ready()) || status.degraded();
  }

  static void print(HubStatus status, Output out) {
    out.line("echopost-hub " + status.version() + " on " + status.dataDirectory());
    item(out, "state", state(status));
    item(
        out,
        "log",
        "epoch "
            + status.epoch()
            + ", "
            + count(status.logSegments(), "segment")
            + ", "
            + bytes(status.logBytes())
            + ", durability "
            + status.durability());
    if (!status.streams().isEmpty()) {
      Table streams =
          new Table("  stream", "start", "end", "applied", "waiting", "lag", "segments", "bytes");
      for (HubStatus.Stream stream : status.streams()) {
        streams.row(
            "  " + stream.name(),
            Long.toString(stream.start()),
            Long.toString(stream.stableEnd()),
            Long.toString(stream.applied()),
            Long.toString(stream.waiting()),
            span(Duration.ofMillis(stream.lagMillis())),
            Integer.toString(stream.segments()),
            bytes(stream.bytes()));
      }
      streams.print(out);
    }
    item(
        out,
        "view",
        count(status.tenants(), "tenant")
            + ", "
            + count(status.openDatabases(), "open database file")
            + ", "
            + count(status.unappliedRecords(), "record")
            + " not applied yet");
    if (status.damagedSegments() > 0) {
      item(
          out,
          "damaged",
          count(status.damagedSegments(), "segment")
              + "; echopost-hub verify log names the records");
    }
    HubStatus.Blocker blocker = status.blocker();
    if (blocker != null) {
      item(
          out,
          "kept",
          blocker.stream() + " from " + blocker.firstOffset() + ": " + blocker.reason());
    }
    for (HubStatus.Parked parked : status.parked()) {
      item(
          out,
          "parked",
          parked.tenant()
              + " since "
              + time(parked.since())
              + (parked.position() == null ? "" : " at " + parked.position())
              + ": "
              + parked.reason()
              + (parked.nextTryAt() == null ? "" : "; next try " + time(parked.nextTryAt())));
    }
    for (HubStatus.Poison poison : status.poison()) {
      item(
          out,
          "poison",
          poison.tenant()
              + " at "
              + poison.position()
              + ": "
              + poison.reason()
              + "; to pass over it: echopost-hub skip --position "
              + poison.position()
              + " --reason TEXT");
    }
    printBackups(status, out);
    String stepped = status.clockStepped();
    if (stepped != null) {
      item(
          out,
          "clock",
          stepped + "; if the clock is right now: echopost-hub status --accept-clock");
    }
    for (String warning : status.warnings()) {
      item(out, "WARNING", warning);
    }
  }

  private static void printBackups(HubStatus status, Output out) {
    HubStatus.Archive archive = status.archive();
    if (archive != null) {
      item(
          out,
          "archive",
          archive.objects()
              + ": "
              + count(archive.lagRecords(), "record")
              + " not archived yet"
              + (archive.lastSuccess() == null
                  ? ""
                  : ", the last segment " + time(archive.lastSuccess()))
              + (archive.lastError() == null ? "" : "; last failure: " + archive.lastError()));
      for (HubStatus.TenantProblem problem : archive.stopped()) {
        item(out, "stopped", problem.tenant() + ": " + problem.reason());
      }
    }
    HubStatus.Snapshots snapshots = status.snapshots();
    if (snapshots != null) {
      item(
          out,
          "snapshot",
          (snapshots.newest() == null ? "none yet" : "the newest " + time(snapshots.newest()))
              + (snapshots.failing() == 0
                  ? ""
                  : "; failing for "
                      + count(snapshots.failing(), "tenant")
                      + ": "
                      + snapshots.lastError()));
    }
    HubStatus.Drill drill = status.drill();
    if (drill != null) {
      item(
          out,
          "drill",
          drill.lastSuccess() == null
              ? "none has succeeded yet"
              : "the last success " + time(drill.lastSuccess()));
      for (HubStatus.TenantProblem fault : drill.faults()) {
        item(out, "FAULT", fault.tenant() + ": " + fault.reason());
      }
    }
  }

  private static String state(HubStatus status) {
    Long pid = status.pid();
    if (pid == null) {
      return "no hub runs on it";
    }
    String process =
        "process "
            + pid
            + (status.startedAt() == null
                ? ""
                : ", up " + span(Duration.between(status.startedAt(), status.now())));
    return status.ready()
        ? "ready (" + process + ")"
        : "not ready (" + process + ")" + because(status.notReady());
  }

  private static String because(@Nullable String reason) {
    return reason == null ? "" : ": " + reason;
  }

  private static void item(Output out, String name, String text) {
    out.line(name + " ".repeat(Math.max(1, 9 - name.length())) + text);
  }

  static String count(long number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }

  private static String time(Instant moment) {
    return RecordLine.time(moment.toEpochMilli());
  }

  /// A length of time in its two largest units.
  static String span(Duration span) {
    long seconds = Math.max(0, span.toSeconds());
    if (seconds == 0) {
      return Math.max(0, span.toMillis()) + "ms";
    }
    if (seconds < 60) {
      return seconds + "s";
    }
    if (seconds < 3_600) {
      return seconds / 60 + "m" + seconds % 60 + "s";
    }
    return seconds < 86_400
        ? seconds / 3_600 + "h" + seconds % 3_600 / 60 + "m"
        : seconds / 86_400 + "d" + seconds % 86_400 / 3_600 + "h";
  }

  static String bytes(long bytes) {
    if (bytes < 1 << 10) {
      return bytes + " B";
    }
    double value = bytes;
    for (String unit : new String[] {"KiB", "MiB", "GiB"}) {
      value /= 1 << 10;
      if (value < 1 << 10 || unit.equals("GiB")) {
        return String.format(Locale.ROOT, "%.1f %s", value, unit);
      }
    }
    throw new AssertionError(bytes);
  }
}
