package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.cli.ExitCode;
import java.nio.file.Files;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("StringConcatToTextBlock") // easier to compare with the output
class VerifyCommandTest extends CommandFixture {
  @Test
  void a_buffer_without_problems_passes() throws Exception {
    createBuffer(payloads(600));
    assertThat(run("verify"))
        .isEqualTo(
            "accepted 600 = delivered 0 + pending 600 + rejected 0 + discarded 0\n"
                + "600 records checked: no problem found\n");
    assertThat(json(run("verify -json")).get("sound").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "UPDATE records SET json_data='{}' WHERE id=2 | pending record 2: its checksum does not"
            + " match | rejected -discard -id 2",
        "UPDATE rejected SET api_key='x' WHERE id=2 | rejected record 2: its checksum | action:"
            + " echopost rejected -discard -id 2",
        "DELETE FROM records WHERE id=2 | pending records are missing that were not settled: id 2 |"
            + " action: start an agent",
        "DELETE FROM records WHERE id>1 | the ledger counts 4 pending records, and the table has 1"
            + " | action: start an agent",
        "UPDATE meta SET settled_through=settled_through+1 | are settled, and 1 is pending |"
            + " action: start an agent",
        "UPDATE meta SET buffer_id='another' | not those that were last written here | action: when"
            + " no agent runs",
        "DELETE FROM rejected WHERE id=2 | the ledger counts 4 rejected records, and the table has"
            + " 3 | action: start an agent",
        "INSERT INTO salvage VALUES ('lost.db', 0) | the salvage of lost.db is not finished |"
            + " action: start an agent",
      })
  void each_problem_is_printed_with_the_action_that_fixes_it(
      String change, String problem, String action) throws Exception {
    createBuffer(payloads(4));
    if (change.contains("rejected")) {
      Rejections.rejectAll(target, 422);
    }
    execute(change);
    assertThat(run(ExitCode.FATAL, "verify")).contains(problem, action, "the buffer has problems");
    assertThat(
            json(run(ExitCode.FATAL, "verify -json"))
                .get("problems")
                .get(0)
                .get("action")
                .asString())
        .isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 8_192})
  void a_damaged_file_is_detected_and_the_action_is_a_salvage(long at) throws Exception {
    createBuffer(payloads(2_000));
    byte[] file = Files.readAllBytes(target.resolve("buffer.db"));
    Arrays.fill(file, (int) at, (int) at + 4_096, (byte) 7);
    Files.write(target.resolve("buffer.db"), file);
    assertThat(run(ExitCode.FATAL, "verify"))
        .contains("echopost salvage", "the buffer has problems");
  }

  @Test
  void a_lost_write_ahead_log_is_detected_by_the_watermark() throws Exception {
    createBuffer("1");
    byte[] before = Files.readAllBytes(target.resolve("buffer.db"));
    createBuffer("2");
    Files.write(target.resolve("buffer.db"), before);
    assertThat(run(ExitCode.FATAL, "verify")).contains("not those that were last written here");
  }
}
