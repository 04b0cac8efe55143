package com.datanadhi.echopost.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.StubServer;
import com.datanadhi.echopost.torture.DiskShim.Call;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is on the program's disk after a power loss, and what the program does when its disk fails.
class DiskIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int RECORDS = 40;
  private static final int FATAL = 1;
  private static final int OWNED = 3;

  @TempDir Path home;
  private DiskShim shim;
  private Chronicle chronicle;
  private StubServer server;
  private int seq;

  @BeforeEach
  void aDiskThatCanFail() throws Exception {
    assumeThat(Shims.obstacle()).isEmpty();
    shim = new DiskShim(home);
    chronicle = new Chronicle(shim);
    server = StubServer.down();
  }

  @AfterEach
  void closeServer() throws Exception {
    server.close();
  }

  private AgentProcess agent() throws Exception {
    AgentProcess agent = AgentProcess.spawn(shim.directory(), server.url(), shim.environment());
    agent.awaitReady();
    return agent;
  }

  private void send(AgentProcess agent, int records) {
    try (LoadClient client = new LoadClient(agent.socket())) {
      for (int n = 0; n < records; n++) {
        assertThat(client.send(LoadClient.request(0, seq, 200)).getSuccess()).isTrue();
        chronicle.acknowledged(0, seq++);
      }
    }
  }

  private void assertInternal(AgentProcess agent) {
    try (LoadClient client = new LoadClient(agent.socket())) {
      assertThatThrownBy(() -> client.send(LoadClient.request(0, seq, 200)))
          .hasMessageStartingWith("INTERNAL: ");
    }
    seq++;
  }

  /// Cuts the power now, on as many disks as there are ways for unsynced writes to have ended.
  private Tally cutPower(Disk.Syncs syncs) throws Exception {
    Tally tally = new Tally();
    History history = new History(shim, chronicle);
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      try (PowerCuts cuts = new PowerCuts(history, syncs, shim.journalLength(), 1, random)) {
        Path disk = home.resolve(syncs + "-" + seed);
        Witness witness = new Witness("seed " + seed, tally);
        cuts.next(disk, witness, random);
        Remains.read(disk, witness, false).forEach(tally::broken);
        witness.close();
      }
    }
    return tally;
  }

  private void assertNothingLostByPowerLoss() throws Exception {
    assertThat(cutPower(Disk.Syncs.HONOURED).broken()).isEmpty();
  }

  @Test
  void a_power_loss_takes_nothing_that_was_acknowledged_unless_syncs_are_not_honoured()
      throws Exception {
    try (AgentProcess agent = agent()) {
      send(agent, RECORDS);
      assertNothingLostByPowerLoss();
      assertThat(cutPower(Disk.Syncs.NEVER_HAPPENED).count(Tally.Count.LOST)).isPositive();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void what_is_acknowledged_after_a_sync_that_failed_outlives_a_power_loss(boolean forGood)
      throws Exception {
    try (AgentProcess agent = agent()) {
      send(agent, RECORDS);
      shim.fail(Call.SYNC, "buffer.db-wal", 1, forGood);
      assertInternal(agent);
      assertThat(agent.awaitExit(PATIENCE)).isEqualTo(FATAL);
      assertThat(agent.hasLogged(EventNames.STORAGE_FAILED)).isTrue();
      assertThat(agent.lastMetrics())
          .content()
          .containsPattern("echopost_refused_records_total\\{[^}]*reason=\"storage_failed\"} [1-9]")
          .containsPattern("echopost_storage_state\\{[^}]*state=\"failed\"} 1");
    }
    shim.mend();
    try (AgentProcess agent = agent()) {
      send(agent, RECORDS);
      assertNothingLostByPowerLoss();
    }
  }

  /// Those that are still on their way when the agent ends, too: a call that is cut off says
  /// nothing about the disk.
  @Test
  void every_call_under_way_when_the_disk_fails_for_good_hears_of_it() throws Exception {
    try (AgentProcess agent = agent();
        LoadClient client = new LoadClient(agent.socket())) {
      send(agent, RECORDS);
      shim.fail(Call.SYNC, "buffer.db-wal", 1, true);
      ManagedChannel channel = client.newChannel();
      List<ListenableFuture<LogResponse>> calls = new ArrayList<>();
      for (int n = 0; n < 1_000; n++) {
        calls.add(
            LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, seq++, 16_000)));
      }
      List<Status.Code> codes = new ArrayList<>();
      for (ListenableFuture<LogResponse> call : calls) {
        codes.add(end(call));
      }
      channel.shutdownNow();
      assertThat(codes.getFirst()).isEqualTo(Status.Code.INTERNAL);
      // A call that reaches nobody any more is not taken.
      assertThat(codes).isSubsetOf(Status.Code.INTERNAL, Status.Code.UNAVAILABLE);
      assertThat(agent.awaitExit(PATIENCE)).isEqualTo(FATAL);
    }
  }

  private static Status.Code end(ListenableFuture<LogResponse> call) throws InterruptedException {
    try {
      LogResponse _ = call.get();
      return Status.Code.OK;
    } catch (ExecutionException failed) {
      return Status.fromThrowable(failed).getCode();
    }
  }

  /// What is written into it is for people alone.
  @Test
  void a_lock_that_cannot_be_written_to_holds_nevertheless() throws Exception {
    shim.fail(Call.WRITE, "agent.lock", 1, true);
    try (AgentProcess agent = agent();
        AgentProcess second =
            AgentProcess.spawn(shim.directory(), server.url(), shim.environment())) {
      send(agent, RECORDS);
      assertThat(agent.hasLogged(EventNames.LOCK_OWNER_NOT_WRITTEN)).isTrue();
      assertThat(second.awaitExit(PATIENCE)).isEqualTo(OWNED);
    }
    assertThat(shim.failures()).isPositive();
  }

  @ParameterizedTest
  @CsvSource({"READ, buffer.db*", "WRITE, buffer.db*", "SYNC, buffer.db*", "WRITE, *"})
  void an_agent_does_not_start_on_a_disk_that_fails_and_harms_nothing(Call call, String file)
      throws Exception {
    try (AgentProcess agent = agent()) {
      send(agent, RECORDS);
    }
    shim.fail(call, file, 1, true);
    try (AgentProcess failing =
        AgentProcess.spawn(shim.directory(), server.url(), shim.environment())) {
      assertThat(failing.awaitExit(PATIENCE)).isEqualTo(FATAL);
    }
    assertThat(shim.failures()).isPositive();
    shim.mend();
    try (AgentProcess agent = agent()) {
      send(agent, RECORDS);
      assertNothingLostByPowerLoss();
    }
  }

  @Test
  void an_agent_that_cannot_read_ends_and_the_next_delivers() throws Exception {
    try (AgentProcess agent = agent()) {
      send(agent, RECORDS);
      shim.fail(Call.READ, "buffer.db*", 1, true);
      server.comeUp();
      assertThat(agent.awaitExit(PATIENCE)).isEqualTo(FATAL);
    }
    shim.mend();
    assertAllDelivered(new Tally());
  }

  private void assertAllDelivered(Tally tally) throws Exception {
    Witness witness = new Witness("the mended disk", tally);
    chronicle.tell(witness, Long.MAX_VALUE);
    witness.crashed();
    assertThat(Remains.drain(shim.disk(), witness, false)).isEmpty();
    witness.close();
    assertThat(tally.broken()).isEmpty();
  }

  @Test
  void a_reserve_that_cannot_be_written_is_not_taken_for_a_full_disk() throws Exception {
    shim.fail(Call.WRITE, "reserve", 1, true);
    try (AgentProcess agent =
        AgentProcess.spawn(shim.directory(), server.url(), shim.environment())) {
      assertThat(agent.awaitExit(PATIENCE)).isEqualTo(FATAL);
      assertThat(agent.hasLogged(EventNames.STORAGE_FAILED)).isTrue();
      assertThat(agent.hasLogged(EventNames.DISK_FULL)).isFalse();
    }
  }

  @Test
  void an_agent_ends_when_its_log_cannot_be_written_back() throws Exception {
    Tally tally = new Tally();
    try (AgentProcess agent = agent();
        Clients _ = new Clients(agent.socket(), 2, 8, 4_000, 0, chronicle, tally)) {
      shim.fail(Call.WRITE, "buffer.db", 1, true);
      assertThat(agent.awaitExit(PATIENCE)).isEqualTo(FATAL);
      assertThat(agent.hasLogged(EventNames.STORAGE_FAILED)).isTrue();
    }
    shim.mend();
    assertAllDelivered(tally);
  }

  /// A thread that waits for the disk cannot be ended: the process has to end without it.
  @Test
  void an_agent_ends_when_a_commit_does_not_return() throws Exception {
    try (AgentProcess agent = agent();
        LoadClient client = new LoadClient(agent.socket())) {
      send(agent, RECORDS);
      shim.hang("buffer.db-wal");
      ManagedChannel channel = client.newChannel();
      ListenableFuture<LogResponse> call =
          LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, seq, 200));
      assertThat(agent.awaitExit(PATIENCE.plus(PATIENCE))).isEqualTo(FATAL);
      assertThat(agent.hasLogged(EventNames.AGENT_STALLED)).isTrue();
      assertThat(end(call)).isNotEqualTo(Status.Code.OK);
      assertThat(agent.socket()).doesNotExist();
      channel.shutdownNow();
    }
    shim.mend();
    assertAllDelivered(new Tally());
  }
}
