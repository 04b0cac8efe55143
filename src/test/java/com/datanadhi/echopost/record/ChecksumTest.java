package com.datanadhi.echopost.record;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChecksumTest {
  private static byte @Nullable [] bytes(@Nullable String text) {
    return text == null ? null : text.getBytes(UTF_8);
  }

  private static NewRecord record(long at, String json, String key, @Nullable String origin) {
    return new NewRecord(
        at, json.getBytes(UTF_8), "[]".getBytes(UTF_8), key.getBytes(UTF_8), bytes(origin));
  }

  @Test
  void the_checksum_covers_the_fields_in_the_order_of_the_contract() {
    ByteBuffer laidOut = ByteBuffer.allocate(100).putLong(7).putLong(1_700_000_000_000L);
    for (String text : new String[] {"{\"é\":1}", "[]", "", null}) {
      byte @Nullable [] field = bytes(text);
      laidOut.putInt(field == null ? -1 : field.length);
      if (field != null) {
        laidOut.put(field);
      }
    }
    CRC32C crc = new CRC32C();
    crc.update(laidOut.flip());
    assertThat(Checksum.of(7, record(1_700_000_000_000L, "{\"é\":1}", "", null)))
        .isEqualTo(crc.getValue());
  }

  @Test
  void the_checksum_depends_on_each_field_and_on_its_length() {
    assertThat(
            new long[] {
              Checksum.of(1, record(5, "12", "3", null)),
              Checksum.of(2, record(5, "12", "3", null)),
              Checksum.of(1, record(6, "12", "3", null)),
              Checksum.of(1, record(5, "1", "23", null)),
              Checksum.of(1, record(5, "12", "", null)),
              Checksum.of(1, record(5, "12", "3", "")),
              Checksum.of(1, record(5, "12", "", "3")),
            })
        .doesNotHaveDuplicates();
  }
}
