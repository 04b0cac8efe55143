package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.intake.SubmissionRules;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.NewRecord;
import com.datanadhi.hub.proto.Receipt;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.query.SeqRange;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.json.JsonValidator;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import com.google.rpc.Status;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What both ways to append do with a request and its outcome. Thread-safe.
final class Appending {
  private static final Duration MAX_WAIT = Duration.ofSeconds(30);

  private static final int RECORDS = tag(AppendRequest.RECORDS_FIELD_NUMBER);
  private static final int PIPELINES = tag(NewRecord.PIPELINES_FIELD_NUMBER);
  static final Duration RETRY = Duration.ofSeconds(1);

  private final Admission admission;
  private final Queries queries;

  Appending(Admission admission, Queries queries) {
    this.admission = admission;
    this.queries = queries;
  }

  /// A request that was judged by its form.
  sealed interface Parsed {}

  /// It can go to intake.
  ///
  /// @param patience until its records can be read; zero to not wait
  record Valid(Submission submission, Duration patience) implements Parsed {}

  /// It can never be stored.
  record Refused(Status status) implements Parsed {}

  /// What a request has that takes more memory than its text once it is parsed.
  private record Parts(long records, long names) {
    /// Counts as far as the parser comes.
    static Parts of(ByteString content) {
      CodedInputStream in = content.newCodedInput();
      long records = 0;
      long names = 0;
      try {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
          if (tag != RECORDS) {
            boolean _ = in.skipField(tag);
            continue;
          }
          records++;
          int outer = in.pushLimit(in.readRawVarint32());
          for (int inner = in.readTag(); inner != 0; inner = in.readTag()) {
            if (inner == PIPELINES) {
              names++;
            }
            boolean _ = in.skipField(inner);
          }
          in.popLimit(outer);
        }
      } catch (IOException malformed) {
        return new Parts(records, names);
      }
      return new Parts(records, names);
    }
  }

  private static int tag(int field) {
    return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }

  /// The memory of a request while it is stored.
  ///
  /// @throws StatusException there is none: UNAVAILABLE while others hold it, INVALID_ARGUMENT if
  ///   it takes more than there is for all, or has too many records
  Admission.Lease admit(String tenant, Request<AppendRequest> request) throws StatusException {
    Parts parts = Parts.of(request.content());
    if (parts.records() > SubmissionRules.MAX_RECORDS) {
      throw StatusProto.toStatusException(
          Statuses.invalid(
              "the transaction has "
                  + parts.records()
                  + " records: send at most "
                  + SubmissionRules.MAX_RECORDS
                  + " under one key"));
    }
    long bytes = request.content().size() + parts.names() * Admission.NAME_BYTES;
    return admit(admission, tenant, bytes, "records or names of pipelines");
  }

  /// Takes memory for a request.
  ///
  /// @param parts what a sender can send fewer of
  static Admission.Lease admit(Admission admission, String tenant, long bytes, String parts)
      throws StatusException {
    Admission.Lease lease = admission.tryAcquire(tenant, bytes);
    if (lease != null) {
      return lease;
    }
    if (admission.couldHold(bytes)) {
      throw Statuses.unavailable("the buffer of requests is full", RETRY);
    }
    throw StatusProto.toStatusException(
        Statuses.invalid(
            "the request takes more memory than the hub has for all requests: send fewer "
                + parts
                + ", or start the hub with a larger --buffer-bytes"));
  }

  static Parsed parse(Request<AppendRequest> request) {
    AppendRequest message;
    try {
      message = request.parse();
    } catch (InvalidProtocolBufferException malformed) {
      return new Refused(Request.invalid(malformed));
    }
    List<RecordData> records = new ArrayList<>(message.getRecordsCount());
    for (NewRecord record : message.getRecordsList()) {
      byte[] logData = record.getLogData().toByteArray();
      String problem = JsonValidator.problem(logData);
      if (problem != null) {
        return new Refused(
            Statuses.invalid(
                "log_data of record " + (records.size() + 1) + " is not JSON: " + problem));
      }
      records.add(new RecordData(record.getPipelinesList(), logData));
    }
    Duration wait = wait(message);
    if (wait == null) {
      return new Refused(Statuses.invalid("wait_applied is not a duration of zero or more"));
    }
    String key = message.getIdempotencyKey();
    return new Valid(new Submission(key.isEmpty() ? null : key, records), wait);
  }

  private static @Nullable Duration wait(AppendRequest message) {
    com.google.protobuf.Duration wait = message.getWaitApplied();
    if (wait.getSeconds() < 0 || wait.getNanos() < 0 || wait.getNanos() > 999_999_999) {
      return null;
    }
    return wait.getSeconds() >= MAX_WAIT.toSeconds()
        ? MAX_WAIT
        : Duration.ofSeconds(wait.getSeconds(), wait.getNanos());
  }

  /// The receipt of a stored transaction, with its seqs if it can be read within `wait`.
  Receipt receipt(Outcome.Stored stored, Duration wait) throws InterruptedException {
    var receipt = stored.receipt();
    Receipt.Builder answer =
        Receipt.newBuilder()
            .setTenant(receipt.tenant())
            .setKey(receipt.key())
            .setReplayed(stored.replayed());
    if (receipt.sha256() != null) {
      answer.setSha256(receipt.sha256());
    }
    if (receipt.durability() != null) {
      answer.setDurability(receipt.durability());
    }
    SeqRange seqs = wait.isZero() ? null : seqs(stored, wait);
    if (seqs != null) {
      answer.setFirstSeq(seqs.first()).setLastSeq(seqs.last());
    }
    return answer.build();
  }

  private @Nullable SeqRange seqs(Outcome.Stored stored, Duration wait)
      throws InterruptedException {
    try {
      return queries.awaitApplied(
          stored.receipt().tenant(), stored.receipt().key(), stored.offset(), wait);
    } catch (com.datanadhi.hub.view.ViewException notReadable) {
      // It is stored, and that is the answer; it cannot be read now.
      return null;
    }
  }
}
