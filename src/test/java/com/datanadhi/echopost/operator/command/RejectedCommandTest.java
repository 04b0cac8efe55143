package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.operator.print.Terminal;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RejectedCommandTest extends CommandFixture {
  @Test
  void json_output_has_one_object_per_line() throws Exception {
    createBufferWithRejectedRecords();
    assertThat(run("rejected -json -id 2"))
        .isEqualTo(
            "{\"id\":2,\"status\":400,\"attempts\":1,\"rejected_at\":7,\"bytes\":12,"
                + "\"payload_start\":\"{\\\"b\\\":\\n[31m2}\"}\n");
    assertThat(run("rejected -json -id 9")).isEmpty();
    assertThat(run("rejected -json")).hasLineCount(3);
    assertThat(run("rejected -discard -yes -json -status 422")).isEqualTo("{\"discarded\":2}\n");
  }

  @Test
  void the_list_shows_rejected_records_without_control_characters() throws Exception {
    createBufferWithRejectedRecords();
    assertThat(run("rejected").lines())
        .containsExactly(
            "        id  status  attempts  rejected (UTC)            bytes  payload",
            "         1     422         1  1970-01-01T00:00:00Z          7  {\"a\":1}",
            "         2     400         1  1970-01-01T00:00:00Z         12  {\"b\": [31m2}",
            "         3     422         1  1970-01-01T00:00:00Z          7  {\"c\":3}");
    assertThat(run("rejected -status 400").lines()).hasSize(2);
    assertThat(run("rejected -id 3")).contains("{\"c\":3}").hasLineCount(2);
    assertThat(run("rejected -id 4")).isEqualTo("no rejected record has id 4\n");
  }

  @Test
  void a_list_whose_output_cannot_be_written_fails() throws Exception {
    createBufferWithRejectedRecords();
    PrintStream broken =
        new PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("broken pipe");
              }
            });
    assertThatThrownBy(() ->
            Commands.run(
                "rejected",
                List.of("-datanadhi", target.toString()),
                new Terminal(broken, broken, null)))
        .isInstanceOf(IOException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"y", "yes", " YES "})
  void records_are_deleted_if_the_answer_is_yes(String text) throws Exception {
    createBufferWithRejectedRecords();
    StringBuilder asked = new StringBuilder();
    answer =
        question -> {
          asked.append(question);
          return text;
        };
    assertThat(run("rejected -discard -status 422")).isEqualTo("2 records deleted permanently\n");
    assertThat(asked).hasToString("Delete 2 records permanently? [y/N] ");
    assertThat(ledger()).isEqualTo("3 0 0 1 2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "n", "no", "why", "yesno"})
  void records_are_not_deleted_if_the_answer_is_not_yes(String text) throws Exception {
    createBufferWithRejectedRecords();
    answer = question -> text;
    assertThat(run("rejected -discard -all")).isEqualTo("nothing was deleted\n");
    assertThat(ledger()).isEqualTo("3 0 0 3 0");
  }

  @Test
  void records_that_are_rejected_during_the_prompt_are_not_deleted() throws Exception {
    createBufferWithRejectedRecords();
    answer =
        question -> {
          try {
            createBuffer("{\"d\":4}", "{\"e\":5}");
            Rejections.rejectAll(target, 422);
          } catch (Exception failed) {
            throw new IllegalStateException(failed);
          }
          return "y";
        };
    assertThat(run("rejected -discard -all")).isEqualTo("3 records deleted permanently\n");
    assertThat(ledger()).isEqualTo("5 0 0 2 3");
  }

  @Test
  void the_flag_yes_deletes_without_a_prompt() throws Exception {
    createBufferWithRejectedRecords();
    assertThat(run("rejected -discard -all -yes")).isEqualTo("3 records deleted permanently\n");
    assertThat(run("rejected -discard -all -yes"))
        .isEqualTo("nothing to do: no record is rejected\n");
  }

  @Test
  void there_is_no_prompt_if_no_record_is_selected() throws Exception {
    createBuffer("1");
    answer =
        question -> {
          throw new AssertionError("asked: " + question);
        };
    assertThat(run("rejected -discard -all")).isEqualTo("nothing to do: no record is rejected\n");
  }
}
