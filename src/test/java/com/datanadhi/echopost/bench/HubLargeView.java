package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.ProcessMemory;
import com.datanadhi.testkit.HubProcess;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/// Measures a hub with many records in its log and in its database: how fast it applies more, a
/// query of 10,000 records from the middle, its memory, and a start after SIGKILL.
///
/// Floors: the same with few records; and the same rows read from the file with the hub's driver.
final class HubLargeView implements Benchmark {
  private static final int LINES = 1_000;
  private static final int CONNECTIONS = 2;
  private static final int QUERIES = 20;
  private static final int PAGE = 10_000;
  private static final String FEW = "few records";
  private static final double MEBIBYTE = 1 << 20;

  private final HubBed bed;
  private final HubSize size;
  private final MeasuredValues values = new MeasuredValues();

  HubLargeView(HubBed bed, HubSize size) {
    this.bed = bed;
    this.size = size;
  }

  @Override
  public String name() {
    return "many records";
  }

  @Override
  public void round() throws Exception {
    RunningHub few = bed.startHub();
    RunningHub hub = bed.startHub();
    int part = (int) Math.min(size.burst(), size.rows() / 3);
    List<HubRequests> requests = HubRequests.lines(hub.apiKey(), LINES, CONNECTIONS);
    values.add("hub_apply_many", FEW, apply(hub, requests, part));
    values.add("hub_rss_many", FEW, resident(hub));
    for (long rows = part; rows < size.rows() - part; rows += part) {
      double _ = apply(hub, requests, part);
    }
    values.add("hub_apply_many", MeasuredProgram.ECHOPOST, apply(hub, requests, part));
    hub.awaitArchived();
    query(hub);
    values.add("hub_rss_many", MeasuredProgram.ECHOPOST, resident(hub));
    for (int start = 0; start < size.starts(); start++) {
      hub = killAndStart(hub, MeasuredProgram.ECHOPOST);
      few = killAndStart(few, FEW);
    }
    bed.stop(hub);
    bed.stop(few);
  }

  /// On connections of its own, since the hub closes those that are idle for a minute.
  ///
  /// @return rows a second
  private static double apply(RunningHub hub, List<HubRequests> requests, int rows)
      throws IOException {
    long start = System.nanoTime();
    try (LoadLoop load = hub.load(requests)) {
      var _ = load.run(rows / LINES);
    }
    hub.awaitApplied();
    return rows / ((System.nanoTime() - start) / 1e9);
  }

  private static double resident(RunningHub hub) throws IOException {
    return new ProcessMemory(hub.process().handle().pid()).resident() / MEBIBYTE;
  }

  private void query(RunningHub hub) throws IOException, SQLException {
    long from = (long) hub.metric("hub_applied_records_total") / 2;
    for (int i = 0; i < 3; i++) {
      long _ = pages(hub, from);
      long _ = raw(hub, from);
    }
    values.add("hub_query", MeasuredProgram.ECHOPOST, QUERIES * PAGE / (pages(hub, from) / 1e9));
    values.add("hub_query", "rows read from the file", QUERIES * PAGE / (raw(hub, from) / 1e9));
  }

  private static long pages(RunningHub hub, long from) throws IOException {
    long start = System.nanoTime();
    for (int i = 0; i < QUERIES; i++) {
      if (lines(hub, "/v1/records?from=" + from + "&limit=" + PAGE) != PAGE) {
        throw new IllegalStateException("a page is not complete");
      }
    }
    return System.nanoTime() - start;
  }

  /// Only counts them: the client's time is not the hub's.
  private static int lines(RunningHub hub, String path) throws IOException {
    int lines = 0;
    try (InputStream page = hub.get(path, HttpResponse.BodyHandlers.ofInputStream())) {
      byte[] chunk = new byte[1 << 16];
      for (int length = page.read(chunk); length >= 0; length = page.read(chunk)) {
        for (int i = 0; i < length; i++) {
          if (chunk[i] == '\n') {
            lines++;
          }
        }
      }
    }
    return lines;
  }

  private static long raw(RunningHub hub, long from) throws IOException, SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:file:" + hub.database() + "?mode=ro");
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT seq, key, received_at, pipelines, log_data FROM events WHERE seq >= ?"
                    + " ORDER BY seq LIMIT "
                    + PAGE)) {
      long start = System.nanoTime();
      for (int i = 0; i < QUERIES; i++) {
        select.setLong(1, from);
        int rows = 0;
        long bytes = 0;
        try (ResultSet row = select.executeQuery()) {
          while (row.next()) {
            bytes += row.getLong(1) + row.getString(2).length() + row.getLong(3);
            bytes += row.getString(4).length() + row.getBytes(5).length;
            rows++;
          }
        }
        if (rows != PAGE || bytes == 0) {
          throw new IllegalStateException("the file has not all rows");
        }
      }
      return System.nanoTime() - start;
    }
  }

  private RunningHub killAndStart(RunningHub hub, String subject) throws Exception {
    bed.release(hub.process());
    long start = System.nanoTime();
    HubProcess process = bed.spawn(hub.data(), Map.of());
    long _ = process.awaitReady();
    RunningHub again = new RunningHub(process, hub.data(), hub.apiKey(), hub.client());
    try (LoadLoop load = again.load(HubRequests.singles(hub.apiKey(), 1))) {
      var _ = load.run(1);
    }
    values.add("hub_start", subject, (System.nanoTime() - start) / 1e6);
    return again;
  }

  @Override
  public List<Figure> figures() {
    String many = String.format(java.util.Locale.ROOT, "%,d records", size.rows());
    return List.of(
        values.figure("hub_apply_many", "taking and applying, last of " + many, "records/s"),
        values.figure("hub_query", "10,000 records from the middle of " + many, "records/s"),
        values.figure("hub_rss_many", "RSS, " + many, "MiB"),
        values.figure("hub_start", "start after SIGKILL to the first 200, " + many, "ms"));
  }
}
