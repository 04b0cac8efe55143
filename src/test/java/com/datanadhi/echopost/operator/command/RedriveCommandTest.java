package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Rejections;
import java.nio.file.Files;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RedriveCommandTest extends CommandFixture {
  @Test
  void a_redrive_prints_how_many_records_are_pending_again() throws Exception {
    createBufferWithRejectedRecords();
    assertThat(run("redrive -status 422"))
        .isEqualTo("2 records redriven; no agent is running, the next one delivers them\n");
    assertThat(ledger()).isEqualTo("3 0 2 1 0");
    assertThat(run("redrive -status 422"))
        .isEqualTo("nothing to do: no rejected record has status 422\n");
    assertThat(run("redrive -id 2")).startsWith("1 record redriven;");
    assertThat(run("redrive -all")).isEqualTo("nothing to do: no record is rejected\n");
    assertThat(standardError()).isEmpty();
  }

  @Test
  void json_output_is_one_object() throws Exception {
    createBufferWithRejectedRecords();
    assertThat(run("redrive -json -id 1"))
        .isEqualTo("{\"redriven\":1,\"damaged\":0,\"by_agent\":false}\n");
  }

  @Test
  void a_damaged_record_is_named_and_not_redriven() throws Exception {
    createBufferWithRejectedRecords();
    execute("UPDATE rejected SET json_data='{}' WHERE id=2");
    assertThat(run("redrive -id 2")).isEqualTo("no record was redriven\n");
    assertThat(standardError())
        .isEqualTo("echopost: record 2 stays rejected: its checksum does not match\n");
    assertThat(run("redrive -all")).startsWith("2 records redriven;");
    assertThat(ledger()).isEqualTo("3 0 2 1 0");
  }

  @Test
  void of_many_damaged_records_the_first_ten_are_named_and_the_others_counted() throws Exception {
    String[] payloads = new String[25];
    Arrays.fill(payloads, "1");
    createBuffer(payloads);
    Rejections.rejectAll(target, 0);
    execute("UPDATE rejected SET json_data='2'");
    assertThat(run("redrive -all")).isEqualTo("no record was redriven\n");
    assertThat(standardError())
        .hasLineCount(11)
        .contains("record 10 stays")
        .endsWith("echopost: 15 more stay rejected for the same reason\n");
  }

  @Test
  void the_socket_file_of_a_killed_agent_does_not_prevent_a_redrive() throws Exception {
    createBufferWithRejectedRecords();
    Files.createFile(target.resolve("data-nadhi-agent.sock"));
    assertThat(run("redrive -all")).startsWith("3 records redriven;");
  }
}
