package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.operator.print.StatusText;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.time.ManualClock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// status, peek, export, import, verify and logs on real buffers that no agent owns.
@SuppressWarnings(
    "StringConcatToTextBlock") // lines that programs print are easier to read as they are
class LookingInsideTest {
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path directory;
  @TempDir Path elsewhere;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private byte[] in = {};
  private boolean screen;
  private Path on;

  @BeforeEach
  void here() {
    on = directory;
  }

  /// Runs a command, which must end with `expected`.
  private String run(ExitCode expected, String line) throws Exception {
    out.reset();
    err.reset();
    List<String> words = List.of((line + " -datanadhi " + on).split(" "));
    InputStream input = new ByteArrayInputStream(in);
    Terminal terminal =
        new Terminal(
            input,
            new PrintStream(out, false, UTF_8),
            new PrintStream(err, true, UTF_8),
            null,
            screen,
            screen,
            screen);
    assertThat(Commands.run(words.getFirst(), words.subList(1, words.size()), terminal))
        .isEqualTo(expected);
    return out.toString(UTF_8);
  }

  private String run(String line) throws Exception {
    return run(ExitCode.DONE, line);
  }

  private void aBuffer(String... payloads) throws Exception {
    try (Buffer buffer = Buffer.open(on, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, payloads);
    }
  }

  private void change(String statement) throws Exception {
    try (Sqlite sqlite = new Sqlite(on)) {
      sqlite.execute(statement);
    }
  }

  private String query(String sql) throws Exception {
    try (Sqlite sqlite = new Sqlite(on)) {
      return sqlite.query(sql);
    }
  }

  private static String[] many(int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(n -> "{\"n\":" + n + "}")
        .toArray(String[]::new);
  }

  private JsonNode json(String line) {
    return JSON.readTree(line);
  }

  // peek

  @Test
  void peek_shows_the_next_records_without_what_steers_a_terminal_or_a_key() throws Exception {
    try (Buffer buffer = Buffer.open(on, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, many(11));
      NewRecord odd = Appended.record("{\"b\":\n\"\u009b31m\u202e\"}", "s3cret", "their-key");
      assertThat(Appended.to(buffer, odd).outcome()).hasToString("Stored[]");
    }
    assertThat(run("peek").lines())
        .hasSize(11)
        .startsWith(
            "        id  received (UTC)            bytes  pipelines             payload",
            "         1  2023-11-14T22:13:20Z          7  [\"p\"]                 {\"n\":1}");
    assertThat(run("peek -n 1 -from 12"))
        .contains("        12  ", "{\"b\": \" 31m \"}")
        .doesNotContain("s3cret");
    assertThat(json(run("peek -json -n 1 -from 12")).get("key").asString()).isEqualTo("their-key");
    assertThat(run("peek -json -full -from 12"))
        .contains("\"log_text\":\"{\\\"b\\\":\\n")
        .doesNotContain("s3cret");
    assertThat(run("peek -n 0")).startsWith("there is no such record");
    assertThat(run("peek -from 13")).startsWith("there is no such record");
  }

  @Test
  void peek_shortens_payloads_unless_told_not_to_and_marks_damaged_ones() throws Exception {
    String long1 = "\"" + "é".repeat(100) + "\"";
    aBuffer(long1, "2");
    assertThat(run("peek -n 1")).endsWith("  \"" + "é".repeat(59) + "\n");
    assertThat(run("peek -n 1 -full")).endsWith("  " + long1 + "\n");
    change("UPDATE records SET json_data='{}' WHERE id=2");
    assertThat(run("peek -from 2")).endsWith("[damaged] {}\n");
    assertThat(json(run("peek -json -full -from 2")).get("sound").asBoolean()).isFalse();
    screen = true;
    assertThat(run("peek -from 2")).contains("\u001b[31m[damaged] \u001b[0m");
  }

  @Test
  void peek_shows_rejected_records_with_their_status() throws Exception {
    aBuffer("1", "2");
    Rejections.rejectAll(on, 422);
    assertThat(run("peek")).isEqualTo("there is no such record: nothing waits for its delivery\n");
    assertThat(run("peek -rejected")).hasLineCount(3).contains("status  payload", "   422  1\n");
    assertThat(json(run("peek -rejected -n 1 -json")).get("status").asInt()).isEqualTo(422);
  }

  // export and import

  @Test
  void an_export_holds_each_payload_byte_for_byte() throws Exception {
    String odd = "{ \"a\" : 1.50, \"a\":\"\\u00e9\\ud800 \u2028\" }";
    String lines = "[1,\r\n\t2\n]";
    aBuffer(odd, lines);
    List<String> exported = run("export").lines().toList();
    assertThat(exported).hasSize(2);
    assertThat(exported.get(0))
        .startsWith("{\"id\":1,\"key\":\"")
        .endsWith(
            "-1\",\"received_at\":1700000000000,\"pipelines\":[\"p\"],\"log_data\":" + odd + "}");
    assertThat(exported.get(1)).endsWith(",\"log_data\":[1,  \t2 ]}");
    assertThat(json(exported.get(1)).get("log_text").asString()).isEqualTo(lines);
    assertThat(err.toString(UTF_8)).isEmpty();
  }

  @Test
  void what_is_exported_and_imported_elsewhere_is_the_same() throws Exception {
    String[] payloads = {
      "{ }", "[1,\r\n\t2\n]", " \t1 ", "2\n", "\"\\ud800\"", "[".repeat(1000) + "]".repeat(1000)
    };
    aBuffer(payloads);
    run("export -gzip");
    in = out.toByteArray();
    assertThat(new GZIPInputStream(new ByteArrayInputStream(in)).readAllBytes()).isNotEmpty();
    String keys =
        query(
            "SELECT group_concat(buffer_id||'-'||id,' ') FROM (SELECT id FROM records ORDER BY id),"
                + " meta");

    on = elsewhere;
    assertThat(run("import -"))
        .isEqualTo("6 records put in; no agent lives: the next one that starts delivers them\n");

    assertThat(query("SELECT group_concat(origin,' ') FROM (SELECT * FROM records ORDER BY id)"))
        .isEqualTo(keys);
    assertThat(query("SELECT group_concat(json_data,'|') FROM (SELECT * FROM records ORDER BY id)"))
        .isEqualTo(String.join("|", payloads));
    assertThat(query("SELECT accepted||' '||pending FROM ledger")).isEqualTo("6 6");
    assertThat(run("verify")).endsWith("6 records checked: sound\n");
  }

  @Test
  void damaged_records_are_left_out_of_an_export_and_named() throws Exception {
    aBuffer(many(15));
    change("UPDATE records SET json_data='{}' WHERE id>2 AND id<15");
    assertThat(run(ExitCode.FATAL, "export")).hasLineCount(3);
    assertThat(err.toString(UTF_8))
        .contains("record 3 is left out: its checksum does not match")
        .endsWith("2 more are left out for the same reason; 'echopost verify' names all\n")
        .hasLineCount(11);
  }

  @Test
  void an_export_says_that_keys_stay_behind_and_what_a_server_said() throws Exception {
    try (Buffer buffer = Buffer.open(on, new ManualClock(), BufferListener.NONE)) {
      var _ = Appended.to(buffer, Appended.record("1", "s3cret", null)).outcome();
    }
    assertThat(run("export")).doesNotContain("s3cret");
    assertThat(err.toString(UTF_8))
        .isEqualTo("echopost: 1 record had an API key of their own, which is not in the output\n");
    Rejections.rejectAll(on, 422);
    assertThat(run("export")).isEmpty();
    assertThat(run("export -rejected"))
        .contains(
            "\"status\":422,\"response\":\"no\",\"rejected_at\":7,\"attempts\":1,\"log_data\":1}")
        .doesNotContain("s3cret");
    screen = true;
    assertThatThrownBy(() -> run("export -gzip")).isInstanceOf(UsageException.class);
  }

  @Test
  void an_import_is_done_once_however_often_it_is_run() throws Exception {
    aBuffer(many(2_500));
    in = run("export").getBytes(UTF_8);
    on = elsewhere;
    assertThat(run("import - -json"))
        .isEqualTo("{\"imported\":2500,\"passed_over\":0,\"by_agent\":false}\n");
    assertThat(run("import - -json"))
        .isEqualTo("{\"imported\":0,\"passed_over\":2500,\"by_agent\":false}\n");
    assertThat(query("SELECT count(*)||' '||count(DISTINCT origin) FROM records"))
        .isEqualTo("2500 2500");
    assertThat(run("import - -again")).startsWith("2500 records put in");
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("5000");
  }

  @Test
  void a_wrong_line_is_named_and_its_batch_stays_out_until_it_is_mended() throws Exception {
    aBuffer(many(2_500));
    List<String> lines = new java.util.ArrayList<>(run("export").lines().toList());
    String right = lines.set(1_499, "{\"pipelines\":[],\"log_data\":{]}");
    on = elsewhere;
    in = String.join("\n", lines).getBytes(UTF_8);
    assertThatThrownBy(() -> run("import -"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("line 1500: it breaks the grammar near byte");
    assertThat(err.toString(UTF_8)).contains("1000 records before that are in");
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("1000");
    lines.set(1_499, right);
    in = String.join("\n", lines).getBytes(UTF_8);
    assertThat(run("import -"))
        .isEqualTo(
            "1500 records put in; no agent lives: the next one that starts delivers them\n"
                + "1000 records passed over, which an earlier import of the same lines put in\n");
    assertThat(query("SELECT count(*)||' '||count(DISTINCT origin) FROM records"))
        .isEqualTo("2500 2500");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "nonsense | it is not an object",
        "[] | it is not an object",
        "{} | it has no member log_data",
        "{\"log_data\":1} | it has no member pipelines",
        "{\"log_data\":1,\"pipelines\":[],\"log_data\":2} | its member log_data stands there twice",
        "{\"log_data\":1,\"pipelines\":[1]} | its pipelines are not strings",
        "{\"log_data\":1,\"pipelines\":\"p\"} | its pipelines: it is not an array",
        "{\"log_data\":1,\"pipelines\":[\"p\",]} | breaks the grammar",
        "{\"log_data\":1,\"pipelines\":[],} | breaks the grammar",
        "{\"log_data\":1,\"pipelines\":[]}} | there is more after its end",
        "{\"log_data\":1,\"pipelines\":[] | it ends in the middle",
        "{\"log_data\":1,\"pipelines\":[],\"key\":7} | its key is not a string",
        "{\"log_data\":1,\"pipelines\":[],\"key\":\"a b\"} | its key is not 1 to 255",
        "{\"log_data\":1,\"pipelines\":[],\"log_text\":\"{\"} | its payload is not JSON",
      })
  void a_line_that_is_no_record_is_refused_by_name(String line, String problem) {
    in = "\n%s\n".formatted(line).getBytes(UTF_8);
    assertThatThrownBy(() -> run("import -"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("line 2: ")
        .hasMessageContaining(problem);
  }

  @Test
  void a_record_needs_no_more_than_its_payload_and_pipelines() throws Exception {
    in =
        " { \"pipelines\" : [ \"a\" ] , \"other\":{\"x\":[]}, \"log_data\" : {\"x\": 1} } "
            .getBytes(UTF_8);
    assertThat(run("import -")).startsWith("1 record put in");
    assertThat(query("SELECT json_data||pipelines||coalesce(origin,'none') FROM records"))
        .isEqualTo("{\"x\": 1}[ \"a\" ]none");
    assertThat(run("peek")).contains("{\"x\": 1}");
  }

  @Test
  void a_file_that_is_cut_off_is_said_to_be() throws Exception {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write("{\"log_data\":1,\"pipelines\":[]}\n".repeat(100).getBytes(UTF_8));
    }
    in = java.util.Arrays.copyOf(packed.toByteArray(), packed.size() - 12);
    assertThatThrownBy(() -> run("import -")).hasMessageContaining("damaged or cut off");
    assertThatThrownBy(() -> run("import " + directory.resolve("nowhere")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("that can be read");
  }

  // verify

  @Test
  void a_sound_buffer_is_said_to_be() throws Exception {
    aBuffer(many(600));
    assertThat(run("verify"))
        .isEqualTo(
            "accepted 600 = delivered 0 + pending 600 + rejected 0 + discarded 0\n"
                + "600 records checked: sound\n");
    assertThat(json(run("verify -json")).get("sound").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "UPDATE records SET json_data='{}' WHERE id=2 | pending record 2: its checksum does not"
            + " match | rejected -discard -id 2",
        "UPDATE rejected SET api_key='x' WHERE id=2 | rejected record 2: its checksum | mend:"
            + " echopost rejected -discard -id 2",
        "DELETE FROM records WHERE id=2 | pending records are missing that were not settled: id 2 |"
            + " mend: start an agent",
        "DELETE FROM records WHERE id>1 | the ledger counts 4 pending records, and the table has 1"
            + " | mend: start an agent",
        "UPDATE meta SET settled_through=settled_through+1 | are settled, and 1 is pending | mend:"
            + " start an agent",
        "UPDATE meta SET buffer_id='another' | not those that were last written here | mend: when"
            + " no agent runs",
        "DELETE FROM rejected WHERE id=2 | the ledger counts 4 rejected records, and the table has"
            + " 3 | mend: start an agent",
        "INSERT INTO salvage VALUES ('lost.db', 0) | the salvage is not finished of lost.db |"
            + " mend: start an agent",
      })
  void what_is_wrong_is_named_with_what_mends_it(String change, String what, String mend)
      throws Exception {
    aBuffer(many(4));
    if (change.contains("rejected")) {
      Rejections.rejectAll(on, 422);
    }
    change(change);
    assertThat(run(ExitCode.FATAL, "verify")).contains(what, mend, "not sound");
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
  void a_damaged_file_is_found_and_the_command_that_mends_it_named(long at) throws Exception {
    aBuffer(many(2_000));
    byte[] file = Files.readAllBytes(on.resolve("buffer.db"));
    java.util.Arrays.fill(file, (int) at, (int) at + 4_096, (byte) 7);
    Files.write(on.resolve("buffer.db"), file);
    assertThat(run(ExitCode.FATAL, "verify")).contains("echopost salvage", "not sound");
  }

  @Test
  void a_lost_log_is_noticed_by_the_watermark() throws Exception {
    aBuffer("1");
    byte[] before = Files.readAllBytes(on.resolve("buffer.db"));
    aBuffer("2");
    Files.write(on.resolve("buffer.db"), before);
    assertThat(run(ExitCode.FATAL, "verify")).contains("not those that were last written here");
  }

  // status

  @Test
  void status_without_an_agent_says_what_waits_and_how_the_last_run_ended() throws Exception {
    aBuffer(many(3));
    Path session = Files.createDirectory(on.resolve("session-2026-01-02T03-04-05Z"));
    Files.writeString(
        session.resolve("agent.log"),
        "{\"time\":\"2026-01-02T03:04:06.000Z\",\"level\":\"INFO\",\"event\":\""
            + EventNames.AGENT_STOPPED
            + "\",\"exit_code\":4}\n");
    assertThat(run(ExitCode.STOPPED, "status"))
        .contains(
            "agent     not running; the last one ended at 2026-01-02T03:04:06.000Z with status 4",
            "server    not known",
            "pending   3 records, 21 bytes, the oldest came ",
            "rejected  nothing",
            "drained   not before an agent runs",
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
  void status_ends_with_5_for_rejected_records_and_with_0_when_nothing_is_left() throws Exception {
    aBuffer("1", "2", "3");
    Rejections.rejectAll(on, 422);
    change("UPDATE rejected SET status=400 WHERE id=2");
    assertThat(run(ExitCode.REJECTED, "status"))
        .contains("rejected  1 with status 400, 2 with status 422", "drained   now");
    assertThat(json(run(ExitCode.REJECTED, "status -json")).get("rejected").get("422").asInt())
        .isEqualTo(2);
    run("rejected -discard -all -yes");
    assertThat(run("status")).contains("pending   nothing", "rejected  nothing");
  }

  @ParameterizedTest
  @CsvSource({"0,0s", "59,59s", "61,1m 1s", "3700,1h 1m", "90000,1d 1h"})
  void a_duration_has_two_units_at_most(long seconds, String text) {
    assertThat(StatusText.duration(seconds)).isEqualTo(text);
  }

  // logs

  @Test
  void logs_shows_the_newest_session_or_all() throws Exception {
    Path first = Files.createDirectory(on.resolve("session-2026-01-02T03-04-05Z"));
    Path second = Files.createDirectory(on.resolve("session-2026-01-02T03-04-05Z-2"));
    Files.writeString(
        first.resolve("agent.log"), "{\"time\":\"t1\",\"level\":\"INFO\",\"event\":\"one\"}\n");
    Files.writeString(first.resolve("crash.log"), "x");
    Files.writeString(
        second.resolve("agent.log"),
        "{\"time\":\"t2\",\"level\":\"WARNING\",\"event\":\"two\",\"n\":7,\"text\":\"a"
            + " \\u001b[31m\"}\n"
            + "{\"time\":\"cut");
    assertThat(run("logs")).isEqualTo("t2  WARNING  two  n=7 text=\"a  [31m\"\n{\"time\":\"cut\n");
    assertThat(run("logs -all"))
        .isEqualTo(
            "== session-2026-01-02T03-04-05Z\n"
                + "t1  INFO     one\n"
                + "== session-2026-01-02T03-04-05Z-2\n"
                + "t2  WARNING  two  n=7 text=\"a  [31m\"\n"
                + "{\"time\":\"cut\n");
    assertThat(err.toString(UTF_8)).contains("it crashed: see ", "crash.log");
    assertThat(run("logs -all -json")).hasLineCount(3).startsWith("{\"time\":\"t1\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"status", "peek", "export", "verify", "logs", "peek -n x", "import nowhere"})
  void without_a_buffer_there_is_one_line_that_says_what_to_do(String line) {
    assertThatThrownBy(() -> run(line)).isInstanceOf(UsageException.class);
    assertThat(directory).isEmptyDirectory();
  }
}
