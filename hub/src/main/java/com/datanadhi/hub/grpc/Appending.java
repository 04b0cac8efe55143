package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.NewRecord;
import com.datanadhi.hub.proto.Receipt;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.query.SeqRange;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.json.JsonValidator;
import com.google.rpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What both ways to append do with a request and its outcome. Thread-safe.
final class Appending {
  private static final Duration MAX_WAIT = Duration.ofSeconds(30);

  private final Queries queries;

  Appending(Queries queries) {
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

  /// The memory that a request takes. A record counts as the name of a pipeline does.
  static long bytes(Request<AppendRequest> request) {
    long parts = 0;
    AppendRequest message = request.message();
    if (message != null) {
      for (NewRecord record : message.getRecordsList()) {
        parts += 1 + record.getPipelinesCount();
      }
    }
    return request.bytes() + parts * Admission.NAME_BYTES;
  }

  static Parsed parse(Request<AppendRequest> request) {
    AppendRequest message = request.message();
    if (message == null) {
      return new Refused(request.invalid());
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
