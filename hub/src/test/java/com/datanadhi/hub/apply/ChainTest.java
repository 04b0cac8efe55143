package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ChainTest {
  private static final Pattern HEX_CELL = Pattern.compile("`([0-9a-f]+)`");

  @Test
  void the_chain_of_an_empty_tenant_is_the_digest_of_its_name() {
    // printf acme | sha256sum
    assertThat(Chain.ofTenant("acme").hex())
        .isEqualTo("822b33ad87c148a0a20a5ba7cd5ebcaa68d36a18e7aad165554903f52ca82757");
  }

  @Test
  void the_worked_example_has_these_bytes() throws Exception {
    byte[] logData = "{\"a\":1}".getBytes(UTF_8);
    String bytes =
        Chain.ofTenant("acme").hex()
            + "0000000000000001" // n
            + "0000000000000001" // part
            + "0000018bcfe56800" // received_at 1700000000000
            + "00000003" // length of the key
            + "6b2d31" // k-1
            + "00000001" // one pipeline
            + "00000002" // its length
            + "c3bc" // ü
            + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(logData));
    String expected =
        HexFormat.of()
            .formatHex(MessageDigest.getInstance("SHA-256").digest(HexFormat.of().parseHex(bytes)));

    Chain chain = Chain.ofTenant("acme");
    chain.add(1, 1, 1_700_000_000_000L, "k-1", List.of("ü"), logData);

    assertThat(chain.hex())
        .isEqualTo(expected)
        .isEqualTo("38989b1833e46663e5ad69fdaabba3bb237a50b84169fdad11aca4bc3b17c1e6");
  }

  @Test
  void the_worked_example_of_the_document_is_right() throws Exception {
    String section =
        Files.readString(Path.of("../docs/hub/log-contract.md"))
            .transform(text -> text.substring(text.indexOf("**Worked example.**")));
    Chain chain = Chain.ofTenant("acme");
    int from = 0;
    for (String logData : List.of("{\"a\":1}", "{\"a\":\r\n 2}")) {
      boolean first = from == 0;
      chain.add(
          first ? 1 : 2,
          1,
          first ? 1_700_000_000_000L : 1_700_000_000_001L,
          first ? "k-1" : "k-2",
          first ? List.of("ü") : List.of(),
          logData.getBytes(UTF_8));
      int begin = section.indexOf("| bytes in hex", from);
      int end = section.indexOf("\n\n", begin);
      String bytes =
          HEX_CELL
              .matcher(section.substring(begin, end))
              .results()
              .map(cell -> cell.group(1))
              .collect(Collectors.joining());
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(HexFormat.of().parseHex(bytes));
      assertThat(HexFormat.of().formatHex(digest)).isEqualTo(chain.hex());
      assertThat(section.substring(end)).contains("\n    " + chain.hex() + "\n");
      from = end;
    }
  }

  @Test
  void a_chain_continues_from_its_value() {
    Chain whole = Chain.ofTenant("acme");
    whole.add(1, 1, 5, "a", List.of(), "1".getBytes(UTF_8));
    Chain rest = Chain.from(whole.hex());
    whole.add(2, 1, 6, "b", List.of("p", "q"), "2".getBytes(UTF_8));
    rest.add(2, 1, 6, "b", List.of("p", "q"), "2".getBytes(UTF_8));

    assertThat(rest.hex()).isEqualTo(whole.hex());
  }

  @Test
  void each_field_changes_the_chain() {
    assertThat(
            List.of(
                one(1, 1, 5, "a", List.of("p"), "1"),
                one(2, 1, 5, "a", List.of("p"), "1"),
                one(1, 2, 5, "a", List.of("p"), "1"),
                one(1, 1, 6, "a", List.of("p"), "1"),
                one(1, 1, 5, "b", List.of("p"), "1"),
                one(1, 1, 5, "a", List.of("q"), "1"),
                one(1, 1, 5, "a", List.of("p", "p"), "1"),
                one(1, 1, 5, "a", List.of("p"), "1 ")))
        .doesNotHaveDuplicates();
  }

  @Test
  void a_value_that_is_no_chain_is_refused() {
    assertThatThrownBy(() -> Chain.from("00")).isInstanceOf(IllegalArgumentException.class);
  }

  private static String one(
      long seq, long part, long receivedAt, String key, List<String> pipelines, String logData) {
    Chain chain = Chain.ofTenant("acme");
    chain.add(seq, part, receivedAt, key, pipelines, logData.getBytes(UTF_8));
    return chain.hex();
  }
}
