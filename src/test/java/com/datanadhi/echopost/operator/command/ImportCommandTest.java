package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.cli.UsageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SuppressWarnings("StringConcatToTextBlock") // easier to compare with the output
class ImportCommandTest extends CommandFixture {
  @Test
  void an_export_that_is_imported_elsewhere_gives_the_same_records() throws Exception {
    String[] payloads = {
      "{ }", "[1,\r\n\t2\n]", " \t1 ", "2\n", "\"\\ud800\"", "[".repeat(1000) + "]".repeat(1000)
    };
    createBuffer(payloads);
    run("export -gzip");
    in = standardOutputBytes();
    assertThat(new GZIPInputStream(new ByteArrayInputStream(in)).readAllBytes()).isNotEmpty();
    String keys = query("SELECT group_concat(origin,' ') FROM (SELECT * FROM records ORDER BY id)");

    target = elsewhere;
    assertThat(run("import -"))
        .isEqualTo("6 records imported; no agent is running, the next one delivers them\n");

    assertThat(query("SELECT group_concat(origin,' ') FROM (SELECT * FROM records ORDER BY id)"))
        .isEqualTo(keys);
    assertThat(query("SELECT group_concat(json_data,'|') FROM (SELECT * FROM records ORDER BY id)"))
        .isEqualTo(String.join("|", payloads));
    assertThat(query("SELECT accepted||' '||pending FROM ledger")).isEqualTo("6 6");
    assertThat(run("verify")).endsWith("6 records checked: no problem found\n");
  }

  @Test
  void a_repeated_import_stores_each_record_once() throws Exception {
    createBuffer(payloads(2_500));
    in = run("export").getBytes(UTF_8);
    target = elsewhere;
    assertThat(run("import - -json"))
        .isEqualTo("{\"imported\":2500,\"passed_over\":0,\"by_agent\":false}\n");
    assertThat(run("import - -json"))
        .isEqualTo("{\"imported\":0,\"passed_over\":2500,\"by_agent\":false}\n");
    assertThat(query("SELECT count(*)||' '||count(DISTINCT origin) FROM records"))
        .isEqualTo("2500 2500");
    assertThat(run("import - -again")).startsWith("2500 records imported");
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("5000");
  }

  @Test
  void an_invalid_line_is_named_and_its_batch_is_stored_after_it_is_corrected() throws Exception {
    createBuffer(payloads(2_500));
    List<String> lines = new ArrayList<>(run("export").lines().toList());
    String right = lines.set(1_499, "{\"pipelines\":[],\"log_data\":{]}");
    target = elsewhere;
    in = String.join("\n", lines).getBytes(UTF_8);
    assertThatThrownBy(() -> run("import -"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("line 1500: it breaks the grammar near byte");
    assertThat(standardError()).contains("1000 records are imported");
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("1000");
    lines.set(1_499, right);
    in = String.join("\n", lines).getBytes(UTF_8);
    assertThat(run("import -"))
        .isEqualTo(
            "1500 records imported; no agent is running, the next one delivers them\n"
                + "1000 records skipped: already imported (-again imports them again)\n");
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
        "{\"log_data\":1,\"pipelines\":[],\"log_data\":2} | it has the member log_data twice",
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
  void a_line_that_is_not_a_record_is_refused_with_its_number_and_the_reason(
      String line, String problem) {
    in = "\n%s\n".formatted(line).getBytes(UTF_8);
    assertThatThrownBy(() -> run("import -"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("line 2: ")
        .hasMessageContaining(problem);
  }

  @Test
  void a_record_needs_only_its_payload_and_pipelines() throws Exception {
    in =
        " { \"pipelines\" : [ \"a\" ] , \"other\":{\"x\":[]}, \"log_data\" : {\"x\": 1} } "
            .getBytes(UTF_8);
    assertThat(run("import -")).startsWith("1 record imported");
    assertThat(query("SELECT json_data||pipelines||substr(origin,37) FROM records"))
        .isEqualTo("{\"x\": 1}[ \"a\" ]-1");
    assertThat(run("peek")).contains("{\"x\": 1}");
  }

  @Test
  void a_truncated_or_missing_file_is_an_error() throws Exception {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write("{\"log_data\":1,\"pipelines\":[]}\n".repeat(100).getBytes(UTF_8));
    }
    in = Arrays.copyOf(packed.toByteArray(), packed.size() - 12);
    assertThatThrownBy(() -> run("import -")).hasMessageContaining("damaged or truncated");
    assertThatThrownBy(() -> run("import " + target.resolve("nowhere")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("there is no readable file");
  }

  @ParameterizedTest
  @CsvSource({
    "efbbbf7b7d0a, byte order mark",
    "0aefbbbf7b7d0a, byte order mark",
    "fffe7b007d000a00, UTF-16",
    "feff007b007d000a, UTF-16",
    "7b007d000a00, UTF-16LE",
    "007b007d000a, UTF-16BE",
    "fffe00007b000000, UTF-32",
    "0000feff0000007b, UTF-32",
    "28b52ffd00, zstd",
    "fd377a585a00, xz",
    "425a6839, bzip2",
    "504b0304, zip",
    "53514c69746520666f726d6174203300, SQLite",
    "5b7b7d5d, JSON array",
  })
  void an_input_that_is_not_json_lines_is_named(String hex, String format) {
    in = HexFormat.of().parseHex(hex);
    assertThatThrownBy(() -> run("import -"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("line ")
        .hasMessageContaining(format);
  }

  @Test
  void lines_can_end_with_carriage_returns_and_the_file_can_be_compressed() throws Exception {
    String line = "{\"log_data\":{\"a\":1},\"pipelines\":[]}\r\n";
    ByteArrayOutputStream once = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(once)) {
      gzip.write(line.repeat(2).getBytes(UTF_8));
    }
    ByteArrayOutputStream twice = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(twice)) {
      gzip.write(once.toByteArray());
    }
    in = once.toByteArray();
    assertThat(run("import -")).startsWith("2 records imported");
    assertThat(query("SELECT group_concat(json_data) FROM records"))
        .isEqualTo("{\"a\":1},{\"a\":1}");
    in = twice.toByteArray();
    assertThatThrownBy(() -> run("import -")).hasMessageContaining("compressed with gzip twice");
  }
}
