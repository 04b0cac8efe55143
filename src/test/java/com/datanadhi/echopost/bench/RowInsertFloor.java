package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.UUID;

/// The floor of applying, as a program: prepared inserts of the same rows into the same tables,
/// with the hub's driver and settings.
final class RowInsertFloor {
  private RowInsertFloor() {}

  /// `RowInsertFloor DIRECTORY WARM-UP ROWS`: prints the rows per second, and the CPU time per row
  /// in microseconds.
  public static void main(String[] arguments) throws SQLException, IOException {
    String source = UUID.randomUUID().toString();
    try (RowInserts inserts = new RowInserts(Path.of(arguments[0], "floor.db"))) {
      int warmUp = Integer.parseInt(arguments[1]);
      int rows = Integer.parseInt(arguments[2]);
      insert(inserts, source, 1, warmUp);
      CpuTime cpuTime = CpuTime.of(ProcessHandle.current());
      long start = System.nanoTime();
      insert(inserts, source, warmUp + 1, rows);
      System.out.println(rows / ((System.nanoTime() - start) / 1e9));
      System.out.println(cpuTime.microsPerRecord(rows));
    }
  }

  private static void insert(RowInserts inserts, String source, int first, int rows)
      throws SQLException {
    String logData = "{\"message\":\"" + "x".repeat(HubRequests.RECORD_BYTES - 14) + "\"}";
    for (int seq = first; seq < first + rows; seq++) {
      inserts.insert(
          new RowInserts.Row(
              seq,
              source + "-" + (1_000_000_000L + seq),
              1_700_000_000_000L + seq,
              "01234567/events-0:" + seq,
              "[\"p1\"]",
              logData));
    }
    inserts.commit();
  }
}
