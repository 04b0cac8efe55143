package com.datanadhi.hub.intake;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ReceiptTest {
  @Test
  void the_bytes_are_those_of_the_golden_file() throws Exception {
    Content content =
        Digests.content(List.of(new RecordData(List.of(), "{\"a\":1}".getBytes(UTF_8))));
    String receipts =
        String.join(
            "\n",
            text(new Receipt("acme", "k-1", content.digest(), "fsync")),
            text(new Receipt("acme", "k-\"\\/<1>", content.digest(), "wal")),
            text(new Receipt("acme", "0123456789abcdef0123456789abcdef-1", null, null)),
            "");
    try (InputStream golden = getClass().getResourceAsStream("receipts.jsonl")) {
      assertThat(receipts)
          .isEqualTo(new String(Objects.requireNonNull(golden).readAllBytes(), UTF_8));
    }
  }

  private static String text(Receipt receipt) {
    return new String(receipt.json(), UTF_8);
  }
}
