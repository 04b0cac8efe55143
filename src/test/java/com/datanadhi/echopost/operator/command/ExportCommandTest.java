package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.time.ManualClock;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExportCommandTest extends CommandFixture {
  @Test
  void an_export_contains_each_payload_byte_for_byte() throws Exception {
    String odd = "{ \"a\" : 1.50, \"a\":\"\\u00e9\\ud800 \u2028\" }";
    String lines = "[1,\r\n\t2\n]";
    createBuffer(odd, lines);
    List<String> exported = run("export").lines().toList();
    assertThat(exported).hasSize(2);
    assertThat(exported.get(0))
        .startsWith("{\"id\":1,\"key\":\"")
        .endsWith(
            "-1\",\"received_at\":1700000000000,\"pipelines\":[\"p\"],\"log_data\":" + odd + "}");
    assertThat(exported.get(1)).endsWith(",\"log_data\":[1,  \t2 ]}");
    assertThat(json(exported.get(1)).get("log_text").asString()).isEqualTo(lines);
    assertThat(standardError()).isEmpty();
  }

  @Test
  void damaged_records_are_omitted_and_named() throws Exception {
    createBuffer(payloads(15));
    execute("UPDATE records SET json_data='{}' WHERE id>2 AND id<15");
    assertThat(run(ExitCode.FATAL, "export")).hasLineCount(3);
    assertThat(standardError())
        .contains("omitted record 3: its checksum does not match")
        .endsWith("omitted 2 more for the same reason: 'echopost verify' names all\n")
        .hasLineCount(11);
  }

  @Test
  void an_export_omits_api_keys_and_includes_the_servers_response() throws Exception {
    try (Buffer buffer = Buffer.open(target, new ManualClock(), BufferListener.NONE)) {
      var _ = Appended.to(buffer, Appended.record("1", "s3cret", null)).outcome();
    }
    assertThat(run("export")).doesNotContain("s3cret");
    assertThat(standardError()).isEqualTo("echopost: omitted the API keys of 1 record\n");
    Rejections.rejectAll(target, 422);
    assertThat(run("export")).isEmpty();
    assertThat(run("export -rejected"))
        .contains(
            "\"status\":422,\"response\":\"no\",\"rejected_at\":7,\"attempts\":1,\"log_data\":1}")
        .doesNotContain("s3cret");
    isTerminal = true;
    assertThatThrownBy(() -> run("export -gzip")).isInstanceOf(UsageException.class);
  }
}
