package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/// Recovers a disk after a fault, and gives a checker the records that are still on it, in the
/// order of their delivery.
final class RecoveryCheck {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private RecoveryCheck() {}

  /// Opens the buffer in this process, as the program does, reads all its records, and runs
  /// SQLite's integrity check.
  ///
  /// @param mayBeDamaged whether the buffer may have needed quarantine and salvage
  /// @return what is wrong with the buffer, one line each
  static List<String> readBuffer(Path disk, DeliveryChecker checker, boolean mayBeDamaged)
      throws IOException, SQLException, InterruptedException {
    List<String> errors = new ArrayList<>();
    Path directory = Files.createDirectories(DiskShim.directoryOn(disk));
    try (Buffer buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE)) {
      buffer.salvage();
      if (buffer.wasDamaged() && !mayBeDamaged) {
        errors.add("the buffer is damaged");
      }
      for (PendingRecord record : buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE)) {
        if (!record.sound()) {
          errors.add("record " + record.id() + " is damaged");
        }
        checker.delivered(request(record));
      }
    } catch (StorageException failed) {
      errors.add("the buffer cannot be opened: " + failed);
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
        Statement statement = connection.createStatement();
        ResultSet check = statement.executeQuery("PRAGMA integrity_check")) {
      if (!check.next() || !check.getString(1).equals("ok")) {
        errors.add("integrity_check: " + check.getString(1));
      }
    }
    return errors;
  }

  /// The request that would deliver the record.
  private static StubServer.Request request(PendingRecord record) {
    return new StubServer.Request(
        "POST",
        "/log",
        Map.of("idempotency-key", '"' + record.idempotencyKey() + '"'),
        record.content().jsonData());
  }

  /// Starts the program on the disk, which must deliver all records and exit.
  ///
  /// @param mayBeDamaged as above; then the exit status may be 1
  /// @return what is wrong with the exit, one line
  static List<String> drainWithAgent(Path disk, DeliveryChecker checker, boolean mayBeDamaged)
      throws IOException, InterruptedException {
    try (StubServer server = StubServer.up()) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      try (AgentProcess agent = AgentProcess.spawn(DiskShim.directoryOn(disk), server.url())) {
        int exit = agent.awaitExit(TIMEOUT);
        return exit == 0 || (exit == 1 && mayBeDamaged)
            ? List.of()
            : List.of("exit " + exit + ": " + agent.output());
      } catch (TimeoutException notEnded) {
        return List.of(String.valueOf(notEnded.getMessage()));
      }
    }
  }
}
