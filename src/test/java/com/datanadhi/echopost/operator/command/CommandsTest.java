package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.HelpText;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.time.ManualClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The commands on real buffers that no agent owns.
class CommandsTest {
  @TempDir Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private @Nullable UnaryOperator<String> ask;

  private String run(String line) throws Exception {
    out.reset();
    err.reset();
    List<String> words = List.of(line.split(" "));
    Terminal terminal =
        new Terminal(new PrintStream(out, false, UTF_8), new PrintStream(err, true, UTF_8), ask);
    assertThat(Commands.run(words.getFirst(), words.subList(1, words.size()), terminal))
        .isEqualTo(ExitCode.DONE);
    return out.toString(UTF_8);
  }

  /// Three rejected records, the second with another status.
  private void aBufferWithRejectedRecords() throws Exception {
    aBuffer("{\"a\":1}", "{\"b\":\n[31m2}", "{\"c\":3}");
    Rejections.rejectAll(directory, 422);
    change("UPDATE rejected SET status=400 WHERE id=2");
  }

  private void aBuffer(String... payloads) throws Exception {
    try (Buffer buffer = Buffer.open(directory, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, payloads);
    }
  }

  private void change(String statement) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      sqlite.execute(statement);
    }
  }

  private String ledger() throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      return sqlite.query(
          "SELECT accepted||' '||delivered||' '||pending||' '||rejected||' '||discarded FROM"
              + " ledger");
    }
  }

  @Test
  void each_command_explains_itself_in_two_ways() throws Exception {
    for (CommandSpec manual : Commands.manuals()) {
      assertThat(run(manual.name() + " -h"))
          .isEqualTo(HelpText.of(manual, List.of()))
          .isEqualTo(run("help " + manual.name()))
          .isEqualTo(run(manual.name() + " --help=true"));
    }
    assertThat(run("help")).isEqualTo(Commands.overview());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "frobnicate | unknown command 'frobnicate'",
        "help frobnicate | unknown flag -datanadhi",
        "completion tcsh | unknown flag -datanadhi",
        "redrive -frobnicate | unknown flag -frobnicate",
        "redrive | say which records",
        "redrive -all -id 1 | say which records",
        "redrive -id 1 -status 2 | say which records",
        "redrive -all=false | say which records",
        "redrive -id one | -id is 'one': give a number",
        "redrive -id -1 | -id is -1",
        "redrive -status 1000 | -status is 1000",
        "redrive -all more | 'more' is one argument too many",
        "redrive -discard -all | unknown flag -discard",
        "rejected -yes | -yes goes with -discard alone",
        "rejected -discard -yes | say which records",
        "rejected -discard -all | no terminal to ask on: say -yes",
        "rejected -all | there is no buffer in",
        "redrive -all | there is no buffer in",
        "rejected -discard -all -yes | there is no buffer in",
      })
  void what_makes_no_sense_is_refused_by_name(String line, String message) {
    assertThatThrownBy(() -> run(line + " -datanadhi " + directory))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
    assertThat(directory).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "help frobnicate | unknown command 'frobnicate'",
        "help a b | 'b' is one argument too many",
        "completion tcsh | no completions for 'tcsh': bash, zsh or fish",
        "completion | an argument is missing",
      })
  void so_is_what_needs_no_directory(String line, String message) {
    assertThatThrownBy(() -> run(line))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }

  @Test
  void scripts_get_json_a_line_for_each_object() throws Exception {
    aBufferWithRejectedRecords();
    assertThat(run("rejected -json -id 2 -datanadhi " + directory))
        .isEqualTo(
            "{\"id\":2,\"status\":400,\"attempts\":1,\"rejected_at\":7,\"bytes\":12,"
                + "\"payload_start\":\"{\\\"b\\\":\\n[31m2}\"}\n");
    assertThat(run("rejected -json -id 9 -datanadhi " + directory)).isEmpty();
    assertThat(run("rejected -json -datanadhi " + directory)).hasLineCount(3);
    assertThat(run("redrive -json -id 1 -datanadhi " + directory))
        .isEqualTo("{\"redriven\":1,\"damaged\":0,\"by_agent\":false}\n");
    assertThat(run("rejected -discard -yes -json -all -datanadhi " + directory))
        .isEqualTo("{\"discarded\":2}\n");
  }

  @Test
  void colours_are_for_terminals_that_want_them() {
    assertThat(Terminal.wantsColours(Map.of("TERM", "xterm"))).isTrue();
    assertThat(Terminal.wantsColours(Map.of("TERM", "xterm", "NO_COLOR", ""))).isTrue();
    assertThat(Terminal.wantsColours(Map.of("TERM", "xterm", "NO_COLOR", "1"))).isFalse();
    assertThat(Terminal.wantsColours(Map.of("TERM", "dumb"))).isFalse();
    assertThat(Terminal.wantsColours(Map.of())).isFalse();
  }

  @Test
  void the_list_shows_what_was_rejected_and_nothing_that_steers_the_terminal() throws Exception {
    aBufferWithRejectedRecords();
    assertThat(run("rejected -datanadhi " + directory).lines())
        .containsExactly(
            "        id  status  attempts  rejected (UTC)            bytes  payload",
            "         1     422         1  1970-01-01T00:00:00Z          7  {\"a\":1}",
            "         2     400         1  1970-01-01T00:00:00Z         12  {\"b\": [31m2}",
            "         3     422         1  1970-01-01T00:00:00Z          7  {\"c\":3}");
    assertThat(run("rejected -datanadhi " + directory + " -status 400").lines()).hasSize(2);
    assertThat(run("rejected -id 3 -datanadhi " + directory)).contains("{\"c\":3}").hasLineCount(2);
    assertThat(run("rejected -id 4 -datanadhi " + directory))
        .isEqualTo("there is no rejected record with id 4\n");
  }

  @Test
  void a_list_that_nobody_can_read_ends_with_an_error() throws Exception {
    aBufferWithRejectedRecords();
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
                List.of("-datanadhi", directory.toString()),
                new Terminal(broken, broken, null)))
        .isInstanceOf(IOException.class);
  }

  @Test
  void a_redrive_says_what_it_did() throws Exception {
    aBufferWithRejectedRecords();
    assertThat(run("redrive -status 422 -datanadhi " + directory))
        .isEqualTo("2 records put back; no agent lives: the next one that starts delivers them\n");
    assertThat(ledger()).isEqualTo("3 0 2 1 0");
    assertThat(run("redrive -status 422 -datanadhi " + directory))
        .isEqualTo("nothing to do: there is no rejected record with status 422\n");
    assertThat(run("redrive -id 2 -datanadhi " + directory)).startsWith("1 record put back;");
    assertThat(run("redrive -all -datanadhi " + directory))
        .isEqualTo("nothing to do: there is no rejected record at all\n");
    assertThat(err.toString(UTF_8)).isEmpty();
  }

  @Test
  void a_damaged_record_is_named_and_not_put_back() throws Exception {
    aBufferWithRejectedRecords();
    change("UPDATE rejected SET json_data='{}' WHERE id=2");
    assertThat(run("redrive -id 2 -datanadhi " + directory)).isEqualTo("nothing was put back\n");
    assertThat(err.toString(UTF_8))
        .isEqualTo("echopost: record 2 stays in 'rejected': its checksum does not match\n");
    assertThat(run("redrive -all -datanadhi " + directory)).startsWith("2 records put back;");
    assertThat(ledger()).isEqualTo("3 0 2 1 0");
  }

  @Test
  void of_many_damaged_records_the_first_are_named_and_the_others_counted() throws Exception {
    String[] payloads = new String[25];
    java.util.Arrays.fill(payloads, "1");
    aBuffer(payloads);
    Rejections.rejectAll(directory, 0);
    change("UPDATE rejected SET json_data='2'");
    assertThat(run("redrive -all -datanadhi " + directory)).isEqualTo("nothing was put back\n");
    assertThat(err.toString(UTF_8))
        .hasLineCount(11)
        .contains("record 10 stays")
        .endsWith("echopost: 15 more stay for the same reason\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"y", "yes", " YES "})
  void records_are_deleted_when_the_answer_is_yes(String answer) throws Exception {
    aBufferWithRejectedRecords();
    StringBuilder asked = new StringBuilder();
    ask =
        question -> {
          asked.append(question);
          return answer;
        };
    assertThat(run("rejected -discard -status 422 -datanadhi " + directory))
        .isEqualTo("2 records deleted for good\n");
    assertThat(asked).hasToString("Delete 2 records for good? [y/N] ");
    assertThat(ledger()).isEqualTo("3 0 0 1 2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "n", "no", "why", "yesno"})
  void records_stay_when_the_answer_is_not_yes(String answer) throws Exception {
    aBufferWithRejectedRecords();
    ask = question -> answer;
    assertThat(run("rejected -discard -all -datanadhi " + directory))
        .isEqualTo("nothing was deleted\n");
    assertThat(ledger()).isEqualTo("3 0 0 3 0");
  }

  @Test
  void what_is_rejected_while_the_question_stands_is_not_deleted() throws Exception {
    aBufferWithRejectedRecords();
    ask =
        question -> {
          try {
            aBuffer("{\"d\":4}", "{\"e\":5}");
            Rejections.rejectAll(directory, 422);
          } catch (Exception failed) {
            throw new IllegalStateException(failed);
          }
          return "y";
        };
    assertThat(run("rejected -discard -all -datanadhi " + directory))
        .isEqualTo("3 records deleted for good\n");
    assertThat(ledger()).isEqualTo("5 0 0 2 3");
  }

  @Test
  void a_script_need_not_be_asked_and_hears_when_there_is_nothing() throws Exception {
    aBufferWithRejectedRecords();
    assertThat(run("rejected -discard -all -yes -datanadhi " + directory))
        .isEqualTo("3 records deleted for good\n");
    assertThat(run("rejected -discard -all -yes -datanadhi " + directory))
        .isEqualTo("nothing to do: there is no rejected record at all\n");
  }

  @Test
  void a_person_is_not_asked_about_nothing() throws Exception {
    aBuffer("1");
    ask =
        question -> {
          throw new AssertionError("asked: " + question);
        };
    assertThat(run("rejected -discard -all -datanadhi " + directory))
        .isEqualTo("nothing to do: there is no rejected record at all\n");
  }

  @Test
  void a_dead_agents_socket_is_in_nobodys_way() throws Exception {
    aBufferWithRejectedRecords();
    Files.createFile(directory.resolve("data-nadhi-agent.sock"));
    assertThat(run("redrive -all -datanadhi " + directory)).startsWith("3 records put back;");
  }
}
