package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.logging.EventNames;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class StatusCommandTest extends CommandFixture {
  @Test
  void without_an_agent_the_status_shows_pending_records_and_how_the_last_run_ended()
      throws Exception {
    createBuffer(payloads(3));
    Path session = Files.createDirectory(target.resolve("session-2026-01-02T03-04-05Z"));
    Files.writeString(
        session.resolve("agent.log"),
        "{\"time\":\"2026-01-02T03:04:06.000Z\",\"level\":\"INFO\",\"event\":\""
            + EventNames.AGENT_STOPPED
            + "\",\"exit_code\":4}\n");
    assertThat(run(ExitCode.STOPPED, "status"))
        .contains(
            "agent     not running; the last run ended at 2026-01-02T03:04:06.000Z with status 4",
            "server    unknown",
            "pending   3 records, 21 bytes, oldest received ",
            "rejected  nothing",
            "drained   not until an agent runs",
            "disk      ",
            "ledger    accepted 3 = delivered 0 + pending 3 + rejected 0 + discarded 0");
    JsonNode json = json(run(ExitCode.STOPPED, "status -json"));
    assertThat(json.get("agent").get("state").asString()).isEqualTo("absent");
    assertThat(json.get("agent").get("last_exit_code").asInt()).isEqualTo(4);
    assertThat(json.get("server").get("state").asString()).isEqualTo("unknown");
    assertThat(json.get("pending").get("records").asInt()).isEqualTo(3);
    assertThat(json.has("rates")).isFalse();
  }

  @Test
  void the_exit_status_is_5_if_records_are_rejected_and_0_if_none_are_left() throws Exception {
    createBuffer("1", "2", "3");
    Rejections.rejectAll(target, 422);
    execute("UPDATE rejected SET status=400 WHERE id=2");
    assertThat(run(ExitCode.REJECTED, "status"))
        .contains("rejected  1 with status 400, 2 with status 422", "drained   now");
    assertThat(json(run(ExitCode.REJECTED, "status -json")).get("rejected").get("422").asInt())
        .isEqualTo(2);
    run("rejected -discard -all -yes");
    assertThat(run("status")).contains("pending   nothing", "rejected  nothing");
  }
}
