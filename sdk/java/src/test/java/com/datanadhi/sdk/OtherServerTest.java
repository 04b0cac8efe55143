package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.LogServer;
import com.datanadhi.sdk.testkit.SdkLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The directory of an agent that delivers to another main server than the configured one. */
class OtherServerTest extends AbstractSdkTest {
  private LogServer old;
  private final List<String> messages = new ArrayList<>();

  @BeforeEach
  void startAgentForOldServer() throws Exception {
    fallback.goDown();
    main.goDown();
    old = closeAfterTest(LogServer.up());
    old.goDown();
    DataNadhi client = openWithEchoPost(configuration().serverHost(old.url()));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
    SdkLog unused = closeAfterTest(new SdkLog(message -> messages.add(message.getMessage())));
  }

  private Path secondDirectory() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(file -> file.getFileName().toString().startsWith("echopost-"))
          .findFirst()
          .orElseThrow();
    }
  }

  private void killAgentsOfSecondDirectory() throws IOException {
    String home = secondDirectory() + "\0";
    await()
        .atMost(TIME_LIMIT)
        .until(() -> {
          List<ProcessHandle> left =
              ProcessHandle.allProcesses()
                  .filter(process -> commandLine(process).contains(home))
                  .toList();
          left.forEach(ProcessHandle::destroyForcibly);
          return left.isEmpty();
        });
  }

  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
    } catch (IOException exited) {
      return "";
    }
  }

  @Test
  void records_go_to_the_configured_server_by_an_agent_of_their_own() throws Exception {
    for (int from = 10; from < 30; from += 10) {
      DataNadhi client = open(configuration());
      submit(client, from, from + 5);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      submit(client, from + 5, from + 10);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      client.close();
      assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
      assertThat(messages)
          .filteredOn(message -> message.contains("delivers to " + old.url()))
          .singleElement()
          .asString()
          .contains("server.host is " + main.url(), secondDirectory().toString());
      messages.clear();
    }
    assertThat(Agents.starts(directory)).isEqualTo(2);
    old.comeUp();
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> old.keys().size() == 10 && main.keys().size() == 20);
    assertThat(seqs(old.deliveries())).isEqualTo(range(0, 10));
    assertThat(seqs(main.deliveries())).isEqualTo(range(10, 30));
    killAgentsOfSecondDirectory();
  }

  @Test
  void records_in_the_second_directory_are_delivered_after_its_agent_was_killed() throws Exception {
    DataNadhi client = open(configuration());
    submit(client, 10, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    killAgentsOfSecondDirectory();
    main.comeUp();
    open(configuration());
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 10);
    assertThat(seqs(main.deliveries())).isEqualTo(range(10, 20));
    killAgentsOfSecondDirectory();
  }

  @Test
  void records_in_the_directory_of_an_earlier_server_go_to_the_new_one() throws Exception {
    DataNadhi client = open(configuration());
    submit(client, 10, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    killAgentsOfSecondDirectory();
    LogServer third = closeAfterTest(LogServer.up());
    open(configuration().serverHost(third.url()));
    await().atMost(TIME_LIMIT).until(() -> third.keys().size() == 10);
    assertThat(seqs(third.deliveries())).isEqualTo(range(10, 20));
    killAgentsOfSecondDirectory();
  }

  @Test
  void another_spelling_of_the_same_url_uses_the_same_agent() throws Exception {
    String spelling = old.url().replace("http:", "HTTP:") + "/";
    DataNadhi client = open(configuration().serverHost(spelling));
    submit(client, 10, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
    assertThat(Agents.starts(directory)).isEqualTo(1);
    assertThat(messages).noneMatch(message -> message.contains("delivers to"));
  }
}
