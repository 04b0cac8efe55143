package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Content;
import java.util.ArrayList;
import java.util.List;

/// Rows for tests.
final class Rows {
  static final String DIGEST = "ab".repeat(32);
  static final String PIPELINES_DIGEST = "cd".repeat(32);
  static final Content CONTENT = new Content(DIGEST, PIPELINES_DIGEST);
  static final String SOURCE = "0192f0c1-2233-7abc-8def-0123456789ab";

  private Rows() {}

  static StoredEvent event(long seq) {
    return event(seq, "{\"n\":" + seq + "}");
  }

  static StoredEvent event(long seq, String logData) {
    return event(seq, seq * 1_000, "[\"p\"]", logData.getBytes(UTF_8));
  }

  static StoredEvent event(long seq, long receivedAt, String pipelines, byte[] logData) {
    return new StoredEvent(
        seq, key(seq), 1, receivedAt, position(seq), pipelines, logData, DIGEST, "fsync");
  }

  static String key(long seq) {
    return SOURCE + "-" + seq;
  }

  static String position(long seq) {
    return "0192f0c1/events-0:" + (seq - 1);
  }

  static AppliedTransaction applied(String key, long seq, long receivedAt) {
    return new AppliedTransaction(key, CONTENT, seq, 1, receivedAt, position(seq), "fsync");
  }

  /// The state after one record more.
  static ViewState next(ViewState state) {
    return withSeq(state, state.seq() + 1);
  }

  static ViewState withSeq(ViewState s, long seq) {
    return new ViewState(
        s.tenant(),
        "0192f0c1-0000-7000-8000-000000000000",
        s.stream(),
        seq - 1,
        seq,
        DIGEST,
        s.firstSeq(),
        s.chainBeforeFirst(),
        seq * 1_000,
        s.keysForgottenBefore(),
        seq,
        s.duplicates(),
        s.conflicts(),
        s.skipped());
  }

  static ViewState forgetting(ViewState s, long keysForgottenBefore) {
    return new ViewState(
        s.tenant(),
        s.epoch(),
        s.stream(),
        s.appliedOffset(),
        s.seq(),
        s.chain(),
        s.firstSeq(),
        s.chainBeforeFirst(),
        s.lastReceivedAt(),
        keysForgottenBefore,
        s.stored(),
        s.duplicates(),
        s.conflicts(),
        s.skipped());
  }

  /// Stores the next record as applying does.
  static void append(TenantWriter writer, int records) {
    ViewState state = writer.state();
    for (int i = 0; i < records; i++) {
      state = next(state);
      writer.insertEvent(event(state.seq()));
      writer.putApplied(applied(key(state.seq()), state.seq(), state.lastReceivedAt()));
      writer.addNumber(SOURCE, state.seq(), state.lastReceivedAt());
    }
    writer.saveState(state);
  }

  /// Stores one record more.
  ///
  /// @return nothing that matters
  static String one(TenantWriter writer) {
    append(writer, 1);
    return "";
  }

  /// Stores one item more.
  static String oneItem(MailboxWriter writer) {
    long seq = writer.appliedSeq() + 1;
    writer.addItems(seq, List.of("p"));
    writer.setAppliedSeq(seq);
    return "";
  }

  static List<StoredEvent> all(TenantReader reader) {
    List<StoredEvent> rows = new ArrayList<>();
    reader.events(new EventFilter(1, Integer.MAX_VALUE, null, null, null), rows::add);
    return rows;
  }
}
