package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.json.JsonValidator;
import com.datanadhi.json.JsonValidator.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Parses envelopes: `{"key":…,"pipelines":[…],"log_data":…}`. `log_data` is checked and cut out
/// byte for byte, never encoded again.
///
/// Members that are not known are accepted and ignored, so that a sender can be newer than the hub;
/// those that are known must be there once and of the right type. Not thread-safe: it remembers the
/// last pipelines, which are mostly the same in all lines of a batch.
final class EnvelopeParser {
  /// Members of an object: parsed, small ones take many times the memory of their text.
  private static final int MAX_PARTS = 10_000;

  private final Admission.Lease lease;
  private byte[] lastPipelines = "[]".getBytes(UTF_8);
  private List<String> lastNames = List.of();

  /// @param lease of the body: it grows where a text takes many times its length when it is parsed
  EnvelopeParser(Admission.Lease lease) {
    this.lease = lease;
  }

  /// One record, with or without a key.
  ///
  /// @param keyed whether `key` is a member of the envelope; otherwise it is ignored
  Submission submission(byte[] envelope, boolean keyed) throws ProblemException {
    @Nullable Part key = null;
    @Nullable Part pipelines = null;
    @Nullable Part logData = null;
    List<Part> parts = parts(envelope, "The envelope");
    refuseTooLarge(parts);
    for (Part part : parts) {
      switch (name(part)) {
        case "pipelines" -> pipelines = once(pipelines, part, "pipelines");
        case "log_data" -> logData = once(logData, part, "log_data");
        case "key" -> {
          if (keyed) {
            key = once(key, part, "key");
          }
        }
        default -> {}
      }
    }
    RecordData data = record(pipelines, logData);
    return new Submission(key == null ? null : string(key.text(), "`key`"), List.of(data));
  }

  /// The records of `{"records":[…]}`.
  List<RecordData> records(byte[] body) throws ProblemException {
    @Nullable Part records = null;
    for (Part part : parts(body, "The body")) {
      if (name(part).equals("records")) {
        records = once(records, part, "records");
      }
    }
    if (records == null) {
      throw bad("The body has no member `records`. Send {\"records\":[…]}.");
    }
    List<Part> elements;
    try {
      elements = JsonValidator.parts(records.text(), '[', Limits.TRANSACTION_RECORDS);
    } catch (JsonValidator.TooManyPartsException e) {
      throw new ProblemException(
          Problem.tooLarge(
              "The transaction has more than %d records. Send fewer under one key."
                  .formatted(Limits.TRANSACTION_RECORDS)));
    } catch (IllegalArgumentException e) {
      throw bad("`records` must be a JSON array of records.");
    }
    if (elements.isEmpty()) {
      throw bad("`records` is empty. A transaction has at least one record.");
    }
    List<RecordData> all = new ArrayList<>(elements.size());
    @Nullable ProblemException bad = null;
    for (Part element : elements) {
      try {
        all.addAll(submission(element.text(), false).records());
      } catch (ProblemException e) {
        // A record behind it can be too large, and 413 comes before 400.
        if (e.problem().status() == 413) {
          throw e;
        }
        bad = bad == null ? e : bad;
      }
    }
    if (bad != null) {
      throw bad;
    }
    return all;
  }

  /// The number in `{"through":n}`.
  long through(byte[] body) throws ProblemException {
    @Nullable Part through = null;
    for (Part part : parts(body, "The body")) {
      if (name(part).equals("through")) {
        through = once(through, part, "through");
      }
    }
    if (through == null) {
      throw bad("The body has no member `through`. Send {\"through\":n}.");
    }
    String digits = new String(through.text(), UTF_8);
    if (!digits.matches("0|[1-9][0-9]{0,17}")) {
      throw bad("`through` must be a whole number from 0 to 999999999999999999.");
    }
    return Long.parseLong(digits);
  }

  private RecordData record(@Nullable Part pipelines, @Nullable Part logData)
      throws ProblemException {
    if (pipelines == null || logData == null) {
      throw bad(
          "The envelope has no member `%s`. Send {\"pipelines\":[…],\"log_data\":…}."
              .formatted(pipelines == null ? "pipelines" : "log_data"));
    }
    return new RecordData(pipelines(pipelines.text()), logData.text());
  }

  private List<String> pipelines(byte[] text) throws ProblemException {
    if (Arrays.equals(text, lastPipelines)) {
      return lastNames;
    }
    if (text[0] != '[') {
      throw bad("`pipelines` must be a JSON array of strings.");
    }
    try {
      int count = JsonStrings.count(text);
      long memory = (long) count * Admission.NAME_BYTES;
      if (!lease.tryGrow(memory)) {
        throw NoMemoryException.of(lease, memory);
      }
      lastNames = JsonStrings.decodeAll(text, count);
    } catch (IllegalArgumentException e) {
      throw notString("Each element of `pipelines`", e);
    }
    lastPipelines = text;
    return lastNames;
  }

  private static List<Part> parts(byte[] text, String what) throws ProblemException {
    try {
      return JsonValidator.parts(text, '{', MAX_PARTS);
    } catch (IllegalArgumentException e) {
      throw bad(
          "%s must be one JSON object by RFC 8259 in UTF-8: %s.".formatted(what, e.getMessage()));
    }
  }

  private static String name(Part part) {
    // A name that is no Unicode is none of the known ones.
    try {
      return JsonStrings.unescape(part.name());
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static Part once(@Nullable Part before, Part part, String name) throws ProblemException {
    if (before != null) {
      throw bad("The member `" + name + "` is there twice. Send it once.");
    }
    return part;
  }

  private static String string(byte[] text, String what) throws ProblemException {
    try {
      return JsonStrings.decode(text);
    } catch (IllegalArgumentException e) {
      throw notString(what, e);
    }
  }

  private static ProblemException notString(String what, IllegalArgumentException why) {
    return bad(what + " must be a string of Unicode characters: " + why.getMessage() + ".");
  }

  /// First of all, because 413 comes before 400.
  private static void refuseTooLarge(List<Part> parts) throws ProblemException {
    for (Part part : parts) {
      if (part.text().length > Math.min(Limits.LOG_DATA, Limits.PIPELINES)) {
        switch (name(part)) {
          case "log_data" -> refuseTooLarge(part, "`log_data`", Limits.LOG_DATA);
          case "pipelines" -> refuseTooLarge(part, "`pipelines`", Limits.PIPELINES);
          default -> {}
        }
      }
    }
  }

  private static void refuseTooLarge(Part part, String what, int limit) throws ProblemException {
    if (part.text().length > limit) {
      throw new ProblemException(
          Problem.tooLarge(
              "%s has %d bytes. It can have %d at most: split the record."
                  .formatted(what, part.text().length, limit)));
    }
  }

  private static ProblemException bad(String detail) {
    return new ProblemException(Problem.badRequest(detail));
  }
}
