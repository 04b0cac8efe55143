package com.datanadhi.hub.bench;

import com.datanadhi.hub.control.ApiKeys;
import com.datanadhi.hub.health.HealthReport;
import com.datanadhi.hub.http.Appender;
import com.datanadhi.hub.http.DoorSettings;
import com.datanadhi.hub.http.HealthSource;
import com.datanadhi.hub.http.HttpDoor;
import com.datanadhi.hub.http.RecordSource;
import com.datanadhi.hub.http.Services;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.intake.IntakeSettings;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Receipt;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.metrics.HubMetrics;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A hub without some of its parts, as a program: what `scripts/bench --hub` measures the hub
/// beside. It prints the port of its HTTP server, and runs until its standard input ends.
///
/// Arguments: `answer` (the HTTP server alone, which answers at once), `intake` (with all of
/// intake, before a log whose appends complete at once) or `log` (with the log too, at `fsync`, but
/// without applying); and a directory.
public final class PartialHub {
  private static final String TENANT = "acme";
  private static final long MANY = 100_000_000;

  private PartialHub() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[1]);
    HubMetrics metrics = new HubMetrics();
    try (TenantDatabases databases = new TenantDatabases(directory.resolve("tenants"), 16);
        Log log =
            arguments[0].equals("log")
                ? SegmentLog.open(
                    directory.resolve("log"), SegmentSettings.defaults(), Clock.system())
                : new InstantLog()) {
      Intake intake =
          new Intake(
              log,
              databases,
              new IntakeSettings(
                  Durability.FSYNC,
                  IntakeSettings.defaults().keyHorizonMillis(),
                  new IntakeSettings.Bounds(MANY, Long.MAX_VALUE, MANY)),
              Clock.system(),
              (records, bytes, nanos) -> metrics.appended(records, nanos));
      Admission admission = new Admission(64L << 20);
      try (HttpDoor door =
          new HttpDoor(
              DoorSettings.standard(8_192),
              new Services(
                  _ -> new ApiKeys.Known(TENANT),
                  arguments[0].equals("answer") ? new Answering() : Appender.of(intake),
                  admission::tryAcquire,
                  noRecords(),
                  new Healthy(),
                  metrics::text,
                  metrics::answered))) {
        door.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null);
        System.out.println(door.port());
        while (System.in.read() >= 0) {}
      }
    }
  }

  private static RecordSource noRecords() {
    return (RecordSource)
        Proxy.newProxyInstance(
            PartialHub.class.getClassLoader(),
            new Class<?>[] {RecordSource.class},
            (_, method, _) -> {
              throw new UnsupportedOperationException(method.getName());
            });
  }

  /// Answers as if each transaction were stored.
  private static final class Answering implements Appender {
    private static final String DIGEST = "0".repeat(64);

    @Override
    public Outcome submit(String tenant, Submission transaction) {
      String key = transaction.key();
      return new Outcome.Stored(
          new Receipt(tenant, key == null ? "none" : key, DIGEST, "fsync"), false, 0);
    }

    @Override
    public List<Outcome> submitEach(String tenant, List<Submission> transactions) {
      return Collections.nCopies(transactions.size(), submit(tenant, transactions.getFirst()));
    }

    @Override
    public List<Outcome> submitTogether(String tenant, List<Submission> transactions) {
      return submitEach(tenant, transactions);
    }
  }

  private static final class Healthy implements HealthSource {
    @Override
    public @Nullable String appendProblem() {
      return null;
    }

    @Override
    public HealthReport report() {
      return new HealthReport(HealthReport.Status.HEALTHY, Map.of(), 0, null, List.of());
    }
  }
}
