package com.datanadhi.echopost.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.DiskShim.Call;
import com.datanadhi.testkit.Shims;
import com.datanadhi.testkit.StubServer;
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

/// The program's disk after a power loss, and the program when its disk fails.
class DiskFaultIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int RECORDS = 40;
  private static final int EXIT_STORAGE_FAILED = 1;
  private static final int EXIT_LOCKED = 3;

  @TempDir Path home;
  private DiskShim shim;
  private ObservationLog observations;
  private StubServer server;
  private int seq;

  @BeforeEach
  void createShimmedDisk() throws Exception {
    assumeThat(Shims.skipReason()).isEmpty();
    shim = new DiskShim(home);
    observations = new ObservationLog(shim);
    server = StubServer.down();
  }

  @AfterEach
  void closeServer() throws Exception {
    server.close();
  }

  private AgentProcess startAgent() throws Exception {
    AgentProcess agent = AgentProcess.spawn(shim.directory(), server.url(), shim.environment());
    agent.awaitReady();
    return agent;
  }

  private void send(AgentProcess agent, int records) {
    try (LoadClient client = new LoadClient(agent.socket())) {
      for (int n = 0; n < records; n++) {
        assertThat(client.send(LoadClient.request(0, seq, 200)).getSuccess()).isTrue();
        observations.acknowledged(0, seq++);
      }
    }
  }

  private void assertNextCallFailsWithInternal(AgentProcess agent) {
    try (LoadClient client = new LoadClient(agent.socket())) {
      assertThatThrownBy(() -> client.send(LoadClient.request(0, seq, 200)))
          .hasMessageStartingWith("INTERNAL: ");
    }
    seq++;
  }

  /// Cuts the power now, twenty times, each with another random fate of the unsynced writes.
  private CampaignResult cutPower(DiskModel.Syncs syncs) throws Exception {
    CampaignResult result = new CampaignResult();
    JournaledRun journaled = new JournaledRun(shim, observations);
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      try (PowerCuts cuts = new PowerCuts(shim, syncs, shim.journalLength(), 1, random)) {
        Path disk = home.resolve(syncs + "-" + seed);
        DeliveryChecker checker = new DeliveryChecker("seed " + seed, result);
        journaled.cutPower(cuts, disk, checker, random);
        RecoveryCheck.readBuffer(disk, checker, false).forEach(result::addViolation);
        checker.checkNothingLost();
      }
    }
    return result;
  }

  private void assertNothingLostByPowerLoss() throws Exception {
    assertThat(cutPower(DiskModel.Syncs.HONOURED).violations()).isEmpty();
  }

  @Test
  void acknowledged_records_survive_a_power_loss_unless_the_disk_ignores_syncs() throws Exception {
    try (AgentProcess agent = startAgent()) {
      send(agent, RECORDS);
      assertNothingLostByPowerLoss();
      assertThat(cutPower(DiskModel.Syncs.IGNORED).count(CampaignResult.Counter.LOST)).isPositive();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void records_acknowledged_after_a_failed_sync_survive_a_power_loss(boolean untilCleared)
      throws Exception {
    try (AgentProcess agent = startAgent()) {
      send(agent, RECORDS);
      shim.fail(Call.SYNC, "buffer.db-wal", 1, untilCleared);
      assertNextCallFailsWithInternal(agent);
      assertThat(agent.awaitExit(TIMEOUT)).isEqualTo(EXIT_STORAGE_FAILED);
      assertThat(agent.hasLogged(EventNames.STORAGE_FAILED)).isTrue();
      assertThat(agent.lastMetrics())
          .content()
          .containsPattern("echopost_refused_records_total\\{[^}]*reason=\"storage_failed\"} [1-9]")
          .containsPattern("echopost_storage_state\\{[^}]*state=\"failed\"} 1");
    }
    shim.clearFaults();
    try (AgentProcess agent = startAgent()) {
      send(agent, RECORDS);
      assertNothingLostByPowerLoss();
    }
  }

  /// Even calls that are in flight when the agent exits: a broken connection would not tell a
  /// client that the disk failed.
  @Test
  void every_call_in_flight_is_answered_when_the_disk_fails_for_good() throws Exception {
    try (AgentProcess agent = startAgent();
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
        codes.add(awaitStatus(call));
      }
      channel.shutdownNow();
      assertThat(codes.getFirst()).isEqualTo(Status.Code.INTERNAL);
      // UNAVAILABLE: the call did not reach the agent before it exited.
      assertThat(codes).isSubsetOf(Status.Code.INTERNAL, Status.Code.UNAVAILABLE);
      assertThat(agent.awaitExit(TIMEOUT)).isEqualTo(EXIT_STORAGE_FAILED);
    }
  }

  private static Status.Code awaitStatus(ListenableFuture<LogResponse> call)
      throws InterruptedException {
    try {
      LogResponse _ = call.get();
      return Status.Code.OK;
    } catch (ExecutionException failed) {
      return Status.fromThrowable(failed).getCode();
    }
  }

  /// The content of the lock file is only for people.
  @Test
  void the_lock_holds_although_its_file_cannot_be_written() throws Exception {
    shim.fail(Call.WRITE, "agent.lock", 1, true);
    try (AgentProcess agent = startAgent();
        AgentProcess second =
            AgentProcess.spawn(shim.directory(), server.url(), shim.environment())) {
      send(agent, RECORDS);
      assertThat(agent.hasLogged(EventNames.LOCK_OWNER_NOT_WRITTEN)).isTrue();
      assertThat(second.awaitExit(TIMEOUT)).isEqualTo(EXIT_LOCKED);
    }
    assertThat(shim.failures()).isPositive();
  }

  @ParameterizedTest
  @CsvSource({"READ, buffer.db*", "WRITE, buffer.db*", "SYNC, buffer.db*", "WRITE, *"})
  void an_agent_does_not_start_on_a_failing_disk_and_loses_nothing(Call call, String file)
      throws Exception {
    try (AgentProcess agent = startAgent()) {
      send(agent, RECORDS);
    }
    shim.fail(call, file, 1, true);
    try (AgentProcess failing =
        AgentProcess.spawn(shim.directory(), server.url(), shim.environment())) {
      assertThat(failing.awaitExit(TIMEOUT)).isEqualTo(EXIT_STORAGE_FAILED);
    }
    assertThat(shim.failures()).isPositive();
    shim.clearFaults();
    try (AgentProcess agent = startAgent()) {
      send(agent, RECORDS);
      assertNothingLostByPowerLoss();
    }
  }

  @Test
  void an_agent_that_cannot_read_exits_and_the_next_one_delivers() throws Exception {
    try (AgentProcess agent = startAgent()) {
      send(agent, RECORDS);
      shim.fail(Call.READ, "buffer.db*", 1, true);
      server.comeUp();
      assertThat(agent.awaitExit(TIMEOUT)).isEqualTo(EXIT_STORAGE_FAILED);
    }
    shim.clearFaults();
    assertAllDelivered(new CampaignResult());
  }

  private void assertAllDelivered(CampaignResult result) throws Exception {
    DeliveryChecker checker = new DeliveryChecker("after the fault", result);
    observations.replayUntil(Long.MAX_VALUE, checker);
    checker.agentKilled();
    assertThat(RecoveryCheck.drainWithAgent(shim.disk(), checker, false)).isEmpty();
    checker.checkNothingLost();
    assertThat(result.violations()).isEmpty();
  }

  @Test
  void a_failed_write_of_the_reserve_is_not_reported_as_a_full_disk() throws Exception {
    shim.fail(Call.WRITE, "reserve", 1, true);
    try (AgentProcess agent =
        AgentProcess.spawn(shim.directory(), server.url(), shim.environment())) {
      assertThat(agent.awaitExit(TIMEOUT)).isEqualTo(EXIT_STORAGE_FAILED);
      assertThat(agent.hasLogged(EventNames.STORAGE_FAILED)).isTrue();
      assertThat(agent.hasLogged(EventNames.DISK_FULL)).isFalse();
    }
  }

  @Test
  void an_agent_exits_when_its_wal_cannot_be_checkpointed() throws Exception {
    CampaignResult result = new CampaignResult();
    try (AgentProcess agent = startAgent();
        BackgroundClients _ =
            new BackgroundClients(agent.socket(), 2, 8, 4_000, 0, observations, result)) {
      shim.fail(Call.WRITE, "buffer.db", 1, true);
      assertThat(agent.awaitExit(TIMEOUT)).isEqualTo(EXIT_STORAGE_FAILED);
      assertThat(agent.hasLogged(EventNames.STORAGE_FAILED)).isTrue();
    }
    shim.clearFaults();
    assertAllDelivered(result);
  }

  /// A thread that waits for the disk cannot be interrupted: the process must exit without it.
  @Test
  void an_agent_exits_when_a_commit_does_not_return() throws Exception {
    try (AgentProcess agent = startAgent();
        LoadClient client = new LoadClient(agent.socket())) {
      send(agent, RECORDS);
      shim.hangSync("buffer.db-wal");
      ManagedChannel channel = client.newChannel();
      ListenableFuture<LogResponse> call =
          LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, seq, 200));
      assertThat(agent.awaitExit(TIMEOUT.plus(TIMEOUT))).isEqualTo(EXIT_STORAGE_FAILED);
      assertThat(agent.hasLogged(EventNames.AGENT_STALLED)).isTrue();
      assertThat(awaitStatus(call)).isNotEqualTo(Status.Code.OK);
      assertThat(agent.socket()).doesNotExist();
      channel.shutdownNow();
    }
    shim.clearFaults();
    assertAllDelivered(new CampaignResult());
  }
}
