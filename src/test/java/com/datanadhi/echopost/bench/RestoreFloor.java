package com.datanadhi.echopost.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The floor of restoring from an archive, as a program: gunzip of the same segments, and inserts
/// of the same rows into the same tables, on stable storage at the end. What is between, such as
/// the parsing of the lines, is not counted.
final class RestoreFloor {
  private RestoreFloor() {}

  /// `RestoreFloor DIRECTORY ARCHIVE`, which holds the archive of a tenant: prints the records per
  /// second, and the CPU time per record in microseconds.
  public static void main(String[] arguments) throws SQLException, IOException {
    Watch watch = new Watch();
    long records = 0;
    try (RowInserts inserts = new RowInserts(Path.of(arguments[0], "floor.db"))) {
      for (Path segment : ArchivedSegments.in(Path.of(arguments[1]))) {
        watch.start();
        byte[] lines = ArchivedSegments.unpack(segment);
        watch.stop();
        List<RowInserts.Row> rows =
            new String(lines, UTF_8).lines().map(RestoreFloor::row).toList();
        watch.start();
        for (RowInserts.Row row : rows) {
          inserts.insert(row);
        }
        watch.stop();
        records += rows.size();
      }
      watch.start();
      inserts.checkpoint();
      watch.stop();
    }
    watch.print(records);
  }

  private static RowInserts.Row row(String line) {
    JsonNode json = JsonMapper.shared().readTree(line);
    return new RowInserts.Row(
        json.required("seq").longValue(),
        json.required("key").stringValue(),
        Instant.parse(json.required("received_at").stringValue()).toEpochMilli(),
        json.required("position").stringValue(),
        json.required("pipelines").toString(),
        json.required("log_data").toString());
  }
}
