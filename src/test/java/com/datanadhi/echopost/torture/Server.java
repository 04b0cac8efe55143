package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import com.datanadhi.echopost.testkit.StubServer.Behaviour;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// A main server that answers everything there is, in every mix, or nothing, or half.
///
/// A round is one agent under a steady load: first beside a server that is well, then beside one
/// that picks an answer by chance for each probe and each delivery; the latencies of both are told.
/// In the end the server is well, and every acknowledged record was taken by it in order, or lies
/// in `rejected` with a status that allows it.
final class Server implements Campaign {
  private static final long PHASE_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final int CLIENTS = 2;
  private static final int SIZE = 300;
  private static final int ENDLESS = 300;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /// Of those some lead to `rejected`, some to another try (see the README's table).
  private static final int[] STATUSES = {
    100, 199, 201, 204, 226, 299, 301, 304, 307, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
    410, 413, 418, 422, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 507, 511, 599, 600,
    999
  };

  @Override
  public String name() {
    return "server";
  }

  @Override
  public String attack() {
    return "a server that answers anything, half, in drops, without end, or not at all";
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      round(attack);
    }
  }

  private static void round(Attack attack) throws Exception {
    Path directory = attack.directory();
    String round = directory.getFileName().toString();
    Tally tally = attack.tally();
    Witness witness = new Witness(round, tally);
    Random random = new Random(attack.random().nextLong());
    try (StubServer server = StubServer.up();
        AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
      server.keep(false);
      Behaviour well = witness.recording(StubServer.OK);
      server.onDelivery(well);
      agent.awaitReady();
      try (Clients clients =
          new Clients(
              agent.socket(), CLIENTS, 4, SIZE, TimeUnit.MILLISECONDS.toNanos(2), witness, tally)) {
        LockSupport.parkNanos(PHASE_NANOS / 4);
        double _ = clients.p99Millis();
        LockSupport.parkNanos(PHASE_NANOS / 2);
        tally.took("p99 beside a server that is well", (long) (clients.p99Millis() * 1e6));
        server.onProbe((request, out) ->
            random.nextInt(4) > 0
                ? StubServer.OK.answer(request, out)
                : one(random).answer(request, out));
        server.onDelivery((request, out) -> {
          if (random.nextInt(50) > 0) {
            return well.answer(request, out);
          }
          witness.mayRepeat();
          return mixed(random, witness).answer(request, out);
        });
        LockSupport.parkNanos(PHASE_NANOS);
        tally.took("p99 beside this one", (long) (clients.p99Millis() * 1e6));
        if (clients.refused() != 0 || clients.connections() != CLIENTS) {
          tally.broken(round + ": clients felt the server: " + clients.firstFailure());
        }
      }
      server.onProbe(StubServer.OK);
      server.onDelivery(well);
      int exit = agent.awaitExit(PATIENCE);
      long rejected = rejected(round, directory, witness, tally);
      if (exit != (rejected == 0 ? 0 : 5)) {
        tally.broken(
            round + ": exit " + exit + " with " + rejected + " rejected: " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken(round + ": " + stays.getMessage());
    }
    witness.close();
    attack.forget(directory);
  }

  /// An answer that takes the record although the agent cannot know it, or any that does not.
  private static Behaviour mixed(Random random, Witness witness) {
    if (random.nextInt(4) > 0) {
      return one(random);
    }
    return (request, out) -> {
      witness.arrivedUnheard(request);
      return Behaviour.raw("HTTP/1.1 2").answer(request, out);
    };
  }

  /// No success, of any kind.
  private static Behaviour one(Random random) {
    return switch (random.nextInt(10)) {
      case 0 -> Behaviour.hangUp();
      case 1 -> Behaviour.raw("HTTP/1.1 503 Half an ans");
      case 2 -> Behaviour.raw("no HTTP at all\r\n\r\n");
      case 3 -> Server::drops;
      case 4 -> Server::endlessHeaders;
      case 5 -> Server::endlessBody;
      case 6 ->
          Behaviour.status(
              429, "", "Retry-After: " + (random.nextBoolean() ? "1" : "yesterday or so"));
      default -> {
        int status = STATUSES[random.nextInt(STATUSES.length)];
        // What is a success is none of these.
        yield Behaviour.status(
            status / 100 == 2 ? 503 : status, "no", "Location: http://127.0.0.1:1/elsewhere");
      }
    };
  }

  /// One byte now and then.
  private static boolean drops(StubServer.Request request, OutputStream out) throws IOException {
    for (byte next :
        "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)) {
      out.write(next);
      out.flush();
      LockSupport.parkNanos(20_000_000);
    }
    return true;
  }

  private static boolean endlessHeaders(StubServer.Request request, OutputStream out)
      throws IOException {
    out.write("HTTP/1.1 503 Endless\r\n".getBytes(StandardCharsets.US_ASCII));
    return pour(out, "X-More: " + "m".repeat(1_000) + "\r\n");
  }

  private static boolean endlessBody(StubServer.Request request, OutputStream out)
      throws IOException {
    out.write(
        "HTTP/1.1 503 Endless\r\nTransfer-Encoding: chunked\r\n\r\n"
            .getBytes(StandardCharsets.US_ASCII));
    return pour(out, "3e8\r\n" + "b".repeat(1_000) + "\r\n");
  }

  private static boolean pour(OutputStream out, String piece) throws IOException {
    byte[] bytes = piece.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < ENDLESS; i++) {
      out.write(bytes);
      out.flush();
    }
    return false;
  }

  private static long rejected(String round, Path directory, Witness witness, Tally tally)
      throws SQLException {
    long rejected = 0;
    if (!Files.exists(directory.resolve("buffer.db"))) {
      tally.broken(round + ": there is no buffer");
      return rejected;
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT status, json_data FROM rejected")) {
      while (row.next()) {
        int status = row.getInt(1);
        if (!isForTheRecord(status)) {
          tally.broken(round + ": rejected for " + status);
        }
        witness.rejected(row.getString(2));
        rejected++;
      }
    }
    return rejected;
  }

  private static boolean isForTheRecord(int status) {
    return switch (status) {
      case 407, 408, 425, 429 -> false;
      case 500 -> true;
      default -> status >= 300 && status < 500;
    };
  }
}
