package com.datanadhi.echopost.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.Shims;
import com.datanadhi.testkit.StubServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A jump of the wall clock changes the program's time stamps, and nothing else.
class ClockJumpIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration NEARLY_AN_HOUR = Duration.ofMinutes(50);
  private static final Pattern TIME = Pattern.compile("\"time\":\"([^\"]+)\"");

  @TempDir Path home;

  @Test
  void time_stamps_follow_the_wall_clock_and_timeouts_do_not() throws Exception {
    assumeThat(Shims.skipReason()).isEmpty();
    Path directory = home.resolve("agent");
    try (StubServer server = StubServer.down();
        ClockShim clock = ClockShim.at(home.resolve("clock"));
        AgentProcess agent = AgentProcess.spawn(directory, server.url(), clock.environment());
        LoadClient client = new LoadClient(agent.socket())) {
      agent.awaitReady();
      assertThat(client.send(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();
      clock.setOffset(ClockJumps.ONE_HOUR_AHEAD);
      assertThat(client.send(LoadClient.request(0, 1, 100)).getSuccess()).isTrue();
      clock.setOffset(ClockJumps.ONE_HOUR_BACK);
      assertThat(client.send(LoadClient.request(0, 2, 100)).getSuccess()).isTrue();
      List<Instant> received = receivedTimes(directory);
      assertThat(Duration.between(received.get(0), received.get(1))).isGreaterThan(NEARLY_AN_HOUR);
      assertThat(Duration.between(received.get(2), received.get(0))).isGreaterThan(NEARLY_AN_HOUR);

      server.comeUp();

      assertThat(agent.awaitExit(TIMEOUT)).isZero();
      assertThat(server.count()).isEqualTo(3);
      List<Instant> logged = loggedTimes(agent.output());
      assertThat(Duration.between(logged.getLast(), logged.getFirst()))
          .isGreaterThan(NEARLY_AN_HOUR);
    }
  }

  private static List<Instant> receivedTimes(Path directory) throws Exception {
    List<Instant> times = new ArrayList<>();
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT received_at FROM records ORDER BY id")) {
      while (row.next()) {
        times.add(Instant.ofEpochMilli(row.getLong(1)));
      }
    }
    return times;
  }

  private static List<Instant> loggedTimes(String output) {
    return TIME.matcher(output).results().map(line -> Instant.parse(line.group(1))).toList();
  }
}
