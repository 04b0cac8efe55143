package com.datanadhi.hub.otlp;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.intake.SubmissionRules;
import com.datanadhi.hub.record.RecordData;
import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsPartialSuccess;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The log records of an `ExportLogsServiceRequest` of OTLP 1.11
/// (https://opentelemetry.io/docs/specs/otlp/). Not thread-safe.
///
/// `log_data` of each is OTLP's JSON of a request with this log record alone, in its resource and
/// scope: `{"resourceLogs":[{"resource":…,"scopeLogs":[{"scope":…,"logRecords":[…]}]}]}`. What came
/// as JSON stands in it byte for byte. Its pipelines are the resource attribute
/// `datanadhi.pipelines`, a string or an array of strings, else `otlp`.
///
/// A log record that is not OTLP, or is too large, does not affect the others: it goes into
/// quarantine as a request with it alone, in the encoding that it came in.
public final class LogsRequest {
  /// Of one request.
  static final int MAX_RECORDS = 100_000;

  /// Of one request without a key. Intake takes 1,000; the rest is for those that are full early.
  private static final int TRANSACTIONS = 900;

  private static final int TRANSACTION_BYTES = 4 << 20;
  private static final int REASONS = 3;

  private final List<RecordData> records;
  private final List<Bad> bad;

  private LogsRequest(List<RecordData> records, List<Bad> bad) {
    this.records = records;
    this.bad = bad;
  }

  /// A log record that cannot be stored.
  ///
  /// @param number in the request, from 1
  record Bad(int number, RecordData record, String reason) {}

  /// Reads a request in protobuf.
  ///
  /// @param lease of the text; it grows with what is made of it
  public static LogsRequest ofProtobuf(ByteString body, Admission.Lease lease)
      throws RequestException {
    LogsCollector collector = new LogsCollector(new Memory(lease));
    new ProtobufLogs(collector).read(body);
    return new LogsRequest(collector.records(), collector.bad());
  }

  /// Reads a request in JSON.
  ///
  /// @param lease of the text; it grows with what is made of it
  public static LogsRequest ofJson(byte[] body, Admission.Lease lease) throws RequestException {
    LogsCollector collector = new LogsCollector(new Memory(lease));
    new JsonLogs(body, collector).read();
    return new LogsRequest(collector.records(), collector.bad());
  }

  /// What is to be stored, in one call of intake, so that all of it is stored or nothing. With a
  /// key, the log records that can be stored are one transaction under it. Else each is one, unless
  /// there are more than 900: then a transaction has several. Log records that cannot be stored
  /// follow.
  ///
  /// @throws RequestException they are too many or too large for one call
  public List<Submission> submissions(@Nullable String key) throws RequestException {
    List<Submission> all = new ArrayList<>();
    int total = (key == null ? records.size() : 0) + bad.size();
    int count = Math.ceilDiv(total, TRANSACTIONS);
    if (key == null) {
      for (List<RecordData> group : groups(records, count)) {
        all.add(new Submission(null, group));
      }
    } else if (!records.isEmpty()) {
      all.add(new Submission(key, records));
    }
    int next = 0;
    for (List<RecordData> group : groups(bad.stream().map(Bad::record).toList(), count)) {
      all.add(new Submission(null, group, bad.get(next).reason()));
      next += group.size();
    }
    if (all.size() > SubmissionRules.MAX_RECORDS) {
      throw new RequestException(
          RequestException.Kind.TOO_LARGE,
          "The log records are too large for one request. Send fewer at once.");
    }
    return all;
  }

  /// The answer when everything is stored.
  public ExportLogsServiceResponse response() {
    if (bad.isEmpty()) {
      return ExportLogsServiceResponse.getDefaultInstance();
    }
    StringBuilder message =
        new StringBuilder("Log records that cannot be stored are kept in quarantine: ");
    for (int i = 0; i < Math.min(bad.size(), REASONS); i++) {
      message.append(i == 0 ? "" : "; ").append("number ").append(bad.get(i).number());
      message.append(": ").append(bad.get(i).reason());
    }
    message.append(bad.size() > REASONS ? "; and others." : ".");
    return ExportLogsServiceResponse.newBuilder()
        .setPartialSuccess(
            ExportLogsPartialSuccess.newBuilder()
                .setRejectedLogRecords(bad.size())
                .setErrorMessage(message.toString()))
        .build();
  }

  private static List<List<RecordData>> groups(List<RecordData> records, int count) {
    List<List<RecordData>> groups = new ArrayList<>();
    List<RecordData> group = new ArrayList<>();
    long bytes = 0;
    for (RecordData record : records) {
      long size = record.logData().length;
      for (String pipeline : record.pipelines()) {
        size += 3L * pipeline.length();
      }
      if (!group.isEmpty() && (group.size() >= count || bytes + size > TRANSACTION_BYTES)) {
        groups.add(group);
        group = new ArrayList<>();
        bytes = 0;
      }
      group.add(record);
      bytes += size;
    }
    if (!group.isEmpty()) {
      groups.add(group);
    }
    return groups;
  }
}
