package com.datanadhi.hub.record;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.proto.LogRecordBody;
import com.datanadhi.hub.proto.LoggedRecord;
import com.datanadhi.hub.proto.LoggedTransaction;
import com.datanadhi.hub.record.EventCodec.InvalidBodyException;
import com.google.protobuf.ByteString;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventCodecTest {
  /// Logs outlive the program: this text may never change.
  private static final String GOLDEN =
      "0801" // version 1
          + "108090fbd309" // key horizon: 30 days
          + "1a05"
          + "6673796e63" // durability: fsync
          + "223b" // a transaction
          + "0a04"
          + "61636d65" // tenant: acme
          + "1203"
          + "6b2d31" // key: k-1
          + "1a20"
          + "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862" // digest
          + "220c"
          + "0a0170"
          + "1207"
          + "7b2261223a317d"; // a record: pipeline p, its log_data

  private static EventBody body(String logData) {
    List<RecordData> records = List.of(new RecordData(List.of("p"), logData.getBytes(UTF_8)));
    return new EventBody(
        30L * 24 * 3600 * 1000,
        "fsync",
        List.of(new Transaction("acme", "k-1", Digests.content(records), records)));
  }

  @Test
  void a_log_record_has_the_bytes_that_it_always_had() throws Exception {
    byte[] encoded = EventCodec.encode(body("{\"a\":1}"));

    assertThat(HexFormat.of().formatHex(encoded)).isEqualTo(GOLDEN);
    EventBody decoded = EventCodec.decode(HexFormat.of().parseHex(GOLDEN));
    assertThat(decoded.keyHorizonMillis()).isEqualTo(30L * 24 * 3600 * 1000);
    assertThat(decoded.durability()).isEqualTo("fsync");
    Transaction transaction = decoded.transactions().getFirst();
    assertThat(transaction.tenant()).isEqualTo("acme");
    assertThat(transaction.key()).isEqualTo("k-1");
    assertThat(transaction.content())
        .isEqualTo(body("{\"a\":1}").transactions().getFirst().content());
    assertThat(transaction.records().getFirst().pipelines()).containsExactly("p");
    assertThat(transaction.records().getFirst().logData()).asString().isEqualTo("{\"a\":1}");
  }

  @Test
  void a_payload_that_breaks_a_rule_is_refused_with_the_reason() {
    LogRecordBody good = parsed(EventCodec.encode(body("1")));
    LoggedTransaction transaction = good.getTransactions(0);

    refused(new byte[] {1, 2, 3}, "it is not a log record");
    refused(good.toBuilder().setVersion(2).build().toByteArray(), "version 2");
    refused(good.toBuilder().clearTransactions().build().toByteArray(), "no transaction");
    refused(with(good, transaction.toBuilder().setTenant("../acme")), "tenant");
    refused(with(good, transaction.toBuilder().setKey("a b")), "key");
    refused(with(good, transaction.toBuilder().setDigest(ByteString.EMPTY)), "digest");
    refused(with(good, transaction.toBuilder().clearRecords()), "no record");
    refused(
        with(
            good,
            transaction.toBuilder()
                .clearRecords()
                .addRecords(LoggedRecord.newBuilder().addPipelines("p"))),
        "log_data");
  }

  private static LogRecordBody parsed(byte[] payload) {
    try {
      return LogRecordBody.parseFrom(payload);
    } catch (com.google.protobuf.InvalidProtocolBufferException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static byte[] with(LogRecordBody body, LoggedTransaction.Builder transaction) {
    return body.toBuilder().setTransactions(0, transaction).build().toByteArray();
  }

  private static void refused(byte[] payload, String reason) {
    assertThatThrownBy(() -> EventCodec.decode(payload))
        .isInstanceOf(InvalidBodyException.class)
        .hasMessageContaining(reason);
  }
}
