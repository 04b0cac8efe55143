package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import com.datanadhi.echopost.time.Clock;
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

/// Looks at what a disk held after a fault: gives a witness the records that are still there, in
/// the order in which they will be delivered.
final class Remains {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private Remains() {}

  /// By the buffer's own code, which opens it as the program does, and by SQLite's check of its
  /// file.
  ///
  /// @param mayBeDamaged whether the file may have had to be set aside, and salvaged
  /// @return what is wrong with the file itself
  static List<String> read(Path disk, Witness witness, boolean mayBeDamaged)
      throws IOException, SQLException, InterruptedException {
    List<String> wrong = new ArrayList<>();
    Path directory = Files.createDirectories(DiskShim.directoryOn(disk));
    try (Buffer buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE)) {
      buffer.salvage();
      if (buffer.wasDamaged() && !mayBeDamaged) {
        wrong.add("the buffer is damaged");
      }
      for (PendingRecord record : buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE)) {
        if (!record.sound()) {
          wrong.add("record " + record.id() + " is damaged");
        }
        witness.arrived(delivery(record));
      }
    } catch (StorageException failed) {
      wrong.add("the buffer cannot be opened: " + failed);
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
        Statement statement = connection.createStatement();
        ResultSet said = statement.executeQuery("PRAGMA integrity_check")) {
      if (!said.next() || !said.getString(1).equals("ok")) {
        wrong.add("integrity_check: " + said.getString(1));
      }
    }
    return wrong;
  }

  /// The record as the server would get it.
  private static StubServer.Request delivery(PendingRecord record) {
    return new StubServer.Request(
        "POST",
        "/log",
        Map.of("idempotency-key", '"' + record.idempotencyKey() + '"'),
        record.content().jsonData());
  }

  /// By the program, which is started on it and has to deliver all and leave.
  ///
  /// @param mayBeDamaged as above: then it ends with 1
  /// @return what is wrong with how it ended
  static List<String> drain(Path disk, Witness witness, boolean mayBeDamaged)
      throws IOException, InterruptedException {
    try (StubServer server = StubServer.up()) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      try (AgentProcess agent = AgentProcess.spawn(DiskShim.directoryOn(disk), server.url())) {
        int exit = agent.awaitExit(PATIENCE);
        return exit == 0 || (exit == 1 && mayBeDamaged)
            ? List.of()
            : List.of("exit " + exit + ": " + agent.output());
      } catch (TimeoutException stays) {
        return List.of(String.valueOf(stays.getMessage()));
      }
    }
  }
}
