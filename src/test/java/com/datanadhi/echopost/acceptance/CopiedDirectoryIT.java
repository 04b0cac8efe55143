package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Copies of a directory, and earlier states of it that were put back: no idempotency key comes
/// with two different records. The records of different runs have different sequence numbers here.
class CopiedDirectoryIT extends AcceptanceTest {
  private static final String UUID =
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

  @TempDir Path parent;
  private Path copy;

  @BeforeEach
  void nameCopy() {
    copy = parent.resolve("copy");
  }

  private static void copyDirectory(Path from, Path to) throws Exception {
    Process cp = new ProcessBuilder("cp", "-a", from.toString(), to.toString()).start();
    assertThat(cp.waitFor()).isZero();
  }

  private AgentProcess agentOn(Path where) throws IOException {
    AgentProcess agent = use(AgentProcess.spawn(where, server.url()));
    agent.awaitReady();
    return agent;
  }

  private void send(AgentProcess agent, int firstSeq, int records) throws InterruptedException {
    send(agent, new LoadClient.Load(records, 330, 1, 64, 0, firstSeq));
  }

  private void stopWithPending(AgentProcess agent) throws Exception {
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
  }

  private void drain(AgentProcess... agents) throws Exception {
    server.comeUp();
    for (AgentProcess agent : agents) {
      assertThat(agent.awaitExit(SOON)).isZero();
    }
  }

  private List<String> deliveredKeys() {
    return server.deliveries().stream().map(StubServer.Request::key).toList();
  }

  /// Asserts that each of `count` records was delivered, and that no key came with two of them.
  private void assertNoKeyForTwoRecords(int count) {
    Map<String, String> bodies = new HashMap<>();
    for (StubServer.Request delivery : server.deliveries()) {
      String other = bodies.putIfAbsent(delivery.key(), delivery.text());
      assertThat(other == null ? delivery.text() : other)
          .as("the record with the key %s", delivery.key())
          .isEqualTo(delivery.text());
    }
    assertThat(bodies).hasSize(count);
    assertThat(Set.copyOf(bodies.values())).hasSize(count);
  }

  private static List<String> keys(String source, long count) {
    return LongStream.rangeClosed(1, count).mapToObj(n -> source + "-" + n).toList();
  }

  private static String sourceOf(String key) {
    assertThat(key).matches(UUID + "-[1-9][0-9]*");
    return key.substring(0, key.lastIndexOf('-'));
  }

  @Test
  void records_that_were_pending_in_both_copies_keep_their_keys_and_new_ones_get_different_keys()
      throws Exception {
    AgentProcess first = agent();
    send(first, 0, 2);
    stopWithPending(first);
    copyDirectory(directory, copy);

    AgentProcess original = agent();
    AgentProcess other = agentOn(copy);
    send(original, 100, 3);
    send(other, 200, 3);
    drain(original, other);

    List<String> delivered = deliveredKeys();
    assertThat(delivered).hasSize(10);
    assertNoKeyForTwoRecords(8);
    List<String> sources = delivered.stream().map(CopiedDirectoryIT::sourceOf).distinct().toList();
    assertThat(sources).hasSize(3);
    assertThat(delivered.stream().filter(keys(sources.getFirst(), 2)::contains)).hasSize(4);
    List<String> all = new ArrayList<>(keys(sources.get(0), 2));
    all.addAll(keys(sources.get(1), 3));
    all.addAll(keys(sources.get(2), 3));
    assertThat(Set.copyOf(delivered)).isEqualTo(Set.copyOf(all));
  }

  @Test
  void a_drained_directory_in_an_image_gives_each_container_its_own_keys() throws Exception {
    AgentProcess builder = agent();
    send(builder, 0, 3);
    drain(builder);
    server.goDown();
    copyDirectory(directory, copy);

    AgentProcess one = agent();
    AgentProcess two = agentOn(copy);
    send(one, 100, 3);
    send(two, 200, 3);
    drain(one, two);

    assertThat(server.count()).isEqualTo(9);
    assertNoKeyForTwoRecords(9);
  }

  @Test
  void a_snapshot_that_is_put_back_repeats_its_pending_records_and_no_key_of_another_record()
      throws Exception {
    AgentProcess first = agent();
    send(first, 0, 2);
    stopWithPending(first);
    copyDirectory(directory, copy);
    AgentProcess second = agent();
    send(second, 100, 3);
    drain(second);
    server.goDown();

    AgentProcess afterwards = agentOn(copy);
    send(afterwards, 200, 3);
    drain(afterwards);

    assertThat(server.count()).isEqualTo(10);
    assertNoKeyForTwoRecords(8);
  }

  @Test
  void each_run_gives_keys_of_its_own_also_after_a_kill() throws Exception {
    for (int run = 0; run < 3; run++) {
      AgentProcess killed = agent();
      send(killed, 10 * run, 4);
      killed.kill();
    }
    AgentProcess last = agent();
    drain(last);

    List<String> delivered = deliveredKeys();
    List<String> expected = new ArrayList<>();
    for (int run = 0; run < 3; run++) {
      expected.addAll(keys(sourceOf(delivered.get(4 * run)), 4));
    }
    assertThat(delivered).isEqualTo(expected).doesNotHaveDuplicates();
    assertNoKeyForTwoRecords(12);
  }

  @Test
  void an_import_without_an_agent_gives_the_lines_of_a_copied_directory_keys_of_its_own()
      throws Exception {
    AgentProcess builder = agent();
    send(builder, 0, 1);
    drain(builder);
    server.goDown();
    copyDirectory(directory, copy);
    int number = 0;
    for (Path where : List.of(directory, copy)) {
      StringBuilder lines = new StringBuilder();
      for (int line = 0; line < 1_500; line++) {
        lines.append("{\"log_data\":{\"client\":0,\"seq\":").append(++number);
        lines.append("},\"pipelines\":[]}\n");
      }
      Path file = Files.writeString(parent.resolve("lines-" + number), lines);
      ProgramResult imported = awaitEnd(startCommand(where, "import", file.toString()));
      assertThat(imported.exit()).as(imported.err()).isZero();
    }
    drain(agent(), agentOn(copy));

    assertThat(server.count()).isEqualTo(3_001);
    assertNoKeyForTwoRecords(3_001);
    List<String> imported = deliveredKeys().subList(1, 3_001);
    List<String> sources = imported.stream().map(CopiedDirectoryIT::sourceOf).distinct().toList();
    assertThat(sources).hasSize(2);
    for (String source : sources) {
      assertThat(imported.stream().filter(key -> key.startsWith(source)))
          .isEqualTo(keys(source, 1_500));
    }
  }

  @Test
  void a_record_keeps_its_key_through_an_export_a_redrive_and_a_salvage() throws Exception {
    AgentProcess first = agent();
    send(first, 0, 3);
    stopWithPending(first);
    String stored =
        query("SELECT group_concat(origin) FROM (SELECT origin FROM records ORDER BY id)");
    List<String> keys = keys(sourceOf(stored.replaceFirst(",.*", "")), 3);
    assertThat(stored).isEqualTo(String.join(",", keys));
    assertThat(runCommand("export").out().lines().map(CopiedDirectoryIT::keyIn)).isEqualTo(keys);

    Rejections.rejectAll(directory, 422);
    assertThat(runCommand("export", "-rejected").out().lines().map(CopiedDirectoryIT::keyIn))
        .isEqualTo(keys);
    assertThat(runCommand("redrive", "-all").exit()).isZero();
    Files.createDirectory(copy);
    Path lost = directory.resolve("buffer.db");
    ProgramResult salvaged = awaitEnd(startCommand(copy, "salvage", lost.toString()));
    assertThat(salvaged.exit()).as(salvaged.out() + salvaged.err()).isZero();
    assertThat(Files.size(copy.resolve("buffer.db"))).isPositive();
    drain(agentOn(copy));

    assertThat(deliveredKeys()).isEqualTo(keys);
  }

  private static String keyIn(String line) {
    return line.replaceAll(".*\"key\":\"([^\"]*)\".*", "$1");
  }

  @Test
  void the_numbers_of_a_run_have_no_gaps_where_clients_give_keys_or_are_refused() throws Exception {
    AgentProcess agent = agent();
    send(agent, 0, 1);
    Path file =
        Files.writeString(
            parent.resolve("lines"),
            """
            {"key":"mine","log_data":1,"pipelines":[]}
            {"log_data":2,"pipelines":[]}
            """);
    assertThat(runCommand("import", file.toString()).exit()).isZero();
    send(agent, 1, 1);
    await().atMost(SOON).until(() -> query("SELECT count(*) FROM records").equals("4"));

    String source = sourceOf(query("SELECT origin FROM records WHERE id=1"));
    assertThat(query("SELECT group_concat(origin) FROM (SELECT origin FROM records ORDER BY id)"))
        .isEqualTo(source + "-1,mine," + source + "-2," + source + "-3");
  }
}
