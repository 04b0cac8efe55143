package com.datanadhi.hub.record;

import com.datanadhi.hub.proto.LogRecordBody;
import com.datanadhi.hub.proto.LoggedRecord;
import com.datanadhi.hub.proto.LoggedTransaction;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.util.HexFormat;
import java.util.List;

/// Encodes the payloads of log records, as `proto/hub_log.proto` defines them.
public final class EventCodec {
  /// The version that this program writes, and the highest that it reads.
  public static final int VERSION = 1;

  private static final int DIGEST_BYTES = 32;

  private EventCodec() {}

  public static byte[] encode(EventBody body) {
    LogRecordBody.Builder message =
        LogRecordBody.newBuilder()
            .setVersion(VERSION)
            .setKeyHorizonMillis(body.keyHorizonMillis())
            .setDurability(body.durability())
            .setReason(body.reason());
    for (Transaction transaction : body.transactions()) {
      LoggedTransaction.Builder logged =
          LoggedTransaction.newBuilder()
              .setTenant(transaction.tenant())
              .setKey(transaction.key())
              .setDigest(
                  UnsafeByteOperations.unsafeWrap(
                      HexFormat.of().parseHex(transaction.content().digest())));
      for (RecordData record : transaction.records()) {
        logged.addRecords(
            LoggedRecord.newBuilder()
                .addAllPipelines(record.pipelines())
                .setLogData(UnsafeByteOperations.unsafeWrap(record.logData())));
      }
      message.addTransactions(logged);
    }
    return message.build().toByteArray();
  }

  /// Decodes a payload.
  ///
  /// @throws InvalidBodyException the payload is not one that this program can read; the message
  ///   says why
  public static EventBody decode(byte[] payload) throws InvalidBodyException {
    LogRecordBody message;
    try {
      message = LogRecordBody.parseFrom(payload);
    } catch (InvalidProtocolBufferException malformed) {
      throw new InvalidBodyException("it is not a log record: " + malformed.getMessage());
    }
    if (message.getVersion() != VERSION) {
      throw new InvalidBodyException(
          "it has the version " + message.getVersion() + ", and this program reads " + VERSION);
    }
    if (message.getTransactionsCount() == 0) {
      throw new InvalidBodyException("it has no transaction");
    }
    for (LoggedTransaction logged : message.getTransactionsList()) {
      check(logged);
    }
    return new EventBody(
        message.getKeyHorizonMillis(),
        message.getDurability(),
        message.getTransactionsList().stream().map(EventCodec::transaction).toList(),
        message.getReason());
  }

  /// What intake never appends is the work of another program: it must not become the name of a
  /// directory or a row.
  private static void check(LoggedTransaction logged) throws InvalidBodyException {
    String tenant = logged.getTenant();
    if (!TenantName.isValid(tenant) && !tenant.equals(TenantName.CONTROL)) {
      throw new InvalidBodyException("its tenant has no valid name");
    }
    if (!IdempotencyKey.isValid(logged.getKey())) {
      throw new InvalidBodyException("its key is not valid");
    }
    if (logged.getDigest().size() != DIGEST_BYTES) {
      throw new InvalidBodyException("its digest has " + logged.getDigest().size() + " bytes");
    }
    if (logged.getRecordsCount() == 0) {
      throw new InvalidBodyException("it has a transaction with no record");
    }
    for (LoggedRecord record : logged.getRecordsList()) {
      if (record.getLogData().isEmpty()) {
        throw new InvalidBodyException("it has a record without log_data");
      }
    }
  }

  private static Transaction transaction(LoggedTransaction logged) {
    List<RecordData> records =
        logged.getRecordsList().stream()
            .map(r -> new RecordData(r.getPipelinesList(), bytes(r.getLogData())))
            .toList();
    return new Transaction(
        logged.getTenant(),
        logged.getKey(),
        new Content(Digests.hex(bytes(logged.getDigest())), Digests.pipelines(records)),
        records);
  }

  private static byte[] bytes(ByteString value) {
    return value.toByteArray();
  }

  /// The payload of a log record cannot be read.
  public static final class InvalidBodyException extends Exception {
    private static final long serialVersionUID = 1;

    InvalidBodyException(String message) {
      super(message);
    }
  }
}
