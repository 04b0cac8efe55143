package com.datanadhi.hub.otlp;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.record.RecordData;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Collects the log records of a request, within the memory that it may take. Not thread-safe.
final class LogsCollector {
  /// Of `log_data`, and of the pipelines of a record, in bytes.
  static final int MAX_BYTES = 4 << 20;

  static final String TOO_LARGE =
      "with its resource and scope it has more than " + MAX_BYTES + " bytes in OTLP's JSON";

  private static final int RECORD_BYTES = 128;
  private static final List<String> DEFAULT_PIPELINES = List.of("otlp");

  private final Memory memory;
  private final List<RecordData> records = new ArrayList<>();
  private final List<LogsRequest.Bad> bad = new ArrayList<>();
  private int announced;

  LogsCollector(Memory memory) {
    this.memory = memory;
  }

  Memory memory() {
    return memory;
  }

  List<RecordData> records() {
    return records;
  }

  List<LogsRequest.Bad> bad() {
    return bad;
  }

  /// Called for each log record before its text is kept.
  void announce() throws RequestException {
    announced++;
    if (announced > LogsRequest.MAX_RECORDS) {
      throw new RequestException(
          RequestException.Kind.TOO_LARGE,
          "The request has more than "
              + LogsRequest.MAX_RECORDS
              + " log records. Send fewer at once.");
    }
    memory.take(RECORD_BYTES);
  }

  /// Adds a log record, whose bytes are taken.
  void add(Pipelines pipelines, byte[] logData) throws RequestException {
    // The names stand in the log for each record.
    memory.take(pipelines.bytes());
    records.add(new RecordData(pipelines.orElse(DEFAULT_PIPELINES), logData));
  }

  /// Adds a log record that cannot be stored, whose bytes are taken.
  void addBad(byte[] content, String reason) {
    bad.add(
        new LogsRequest.Bad(
            records.size() + bad.size() + 1, new RecordData(List.of(), content), reason));
  }

  /// The value of the resource attribute `datanadhi.pipelines`. Not thread-safe.
  static final class Pipelines {
    static final String ATTRIBUTE = "datanadhi.pipelines";

    /// Of its length in the log, and its share of the work.
    private static final int BYTES_OF_NAME = 8;

    private final Memory memory;
    private final List<String> names = new ArrayList<>();
    private @Nullable List<String> all;
    private long bytes;
    private boolean given;
    private boolean other;
    private boolean broken;

    Pipelines(Memory memory) {
      this.memory = memory;
    }

    /// Adds one.
    void add(String name) throws RequestException {
      memory.take((long) Admission.NAME_BYTES + name.length());
      names.add(name);
      given = true;
      bytes += BYTES_OF_NAME + 3L * name.length();
      broken |=
          name.codePoints()
              .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    /// The attribute is there, maybe with no pipeline.
    void markGiven() {
      given = true;
    }

    /// A value is no string: the attribute counts as missing.
    void markOther() {
      other = true;
    }

    /// At most so many bytes does each record take for them in the log.
    long bytes() {
      return usable() ? bytes : 0;
    }

    private boolean usable() {
      return given && !other;
    }

    /// Why the log records of the resource cannot be stored; empty if they can.
    String problem() {
      if (usable() && broken) {
        return ATTRIBUTE + " has half of a surrogate pair";
      }
      return usable() && bytes > MAX_BYTES
          ? ATTRIBUTE + " can have more than " + MAX_BYTES + " bytes in UTF-8"
          : "";
    }

    /// All of them, when all are added; the others if the attribute counts as missing.
    List<String> orElse(List<String> others) {
      if (!usable()) {
        return others;
      }
      if (all == null) {
        all = List.copyOf(names);
      }
      return all;
    }
  }
}
