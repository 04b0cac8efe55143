package com.datanadhi.hub.archive;

import com.datanadhi.hub.record.TenantName;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The keys of the archive's objects.
///
///     archive/<tenant>/<YYYY-MM-DD>/segment_000001.jsonl.gz
///     archive/<tenant>/<YYYY-MM-DD>/segment_000001.checksum
///     archive/<tenant>/retained_<first seq, 20 digits>.json
public final class ArchiveKeys {
  /// The prefix of all.
  public static final String ROOT = "archive/";

  private static final String DATA = ".jsonl.gz";
  private static final String CHECKSUM = ".checksum";
  private static final Pattern SEGMENT =
      Pattern.compile("segment_([0-9]{6,9})(\\.jsonl\\.gz|\\.checksum)");
  private static final Pattern DATE = Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}");
  private static final Pattern RETAINED = Pattern.compile("retained_(00[0-9]{18})\\.json");

  private ArchiveKeys() {}

  /// What an object of a tenant is, by its key.
  sealed interface Kind {
    /// The records of a segment.
    record Data(SegmentName name) implements Kind {}

    /// The checksum of a segment.
    record Checksum(SegmentName name) implements Kind {}

    /// The mark of what retention has deleted.
    record Retained(long firstSeq) implements Kind {}

    /// Nothing that the hub writes.
    record Unknown() implements Kind {}
  }

  /// The folder of a tenant, `_control` included.
  public static String tenant(String tenant) {
    return ROOT + tenant + "/";
  }

  /// The folder of a tenant's segments of one day.
  public static String day(String tenant, LocalDate date) {
    return tenant(tenant) + date + "/";
  }

  static String data(SegmentName name) {
    return stem(name) + DATA;
  }

  static String checksum(SegmentName name) {
    return stem(name) + CHECKSUM;
  }

  private static String stem(SegmentName name) {
    return day(name.tenant(), name.date())
        + String.format(Locale.ROOT, "segment_%06d", name.number());
  }

  static String retained(String tenant, long firstSeq) {
    return tenant(tenant) + String.format(Locale.ROOT, "retained_%020d.json", firstSeq);
  }

  /// The date in UTC of a moment.
  ///
  /// @param millis since 1970
  static LocalDate date(long millis) {
    return LocalDate.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
  }

  static boolean isTenant(String name) {
    return TenantName.isValid(name) || name.equals(TenantName.CONTROL);
  }

  /// The date that a folder is named after, or null.
  static @Nullable LocalDate date(String folder) {
    try {
      return DATE.matcher(folder).matches() ? LocalDate.parse(folder) : null;
    } catch (DateTimeException noSuchDay) {
      return null;
    }
  }

  /// What the object with this key, which begins with the tenant's folder, is.
  static Kind kind(String tenant, String key) {
    String path = key.substring(tenant(tenant).length());
    int slash = path.indexOf('/');
    if (slash < 0) {
      Matcher retained = RETAINED.matcher(path);
      return retained.matches()
          ? new Kind.Retained(Long.parseLong(retained.group(1)))
          : new Kind.Unknown();
    }
    LocalDate date = date(path.substring(0, slash));
    Matcher segment = SEGMENT.matcher(path.substring(slash + 1));
    if (date == null || !segment.matches()) {
      return new Kind.Unknown();
    }
    SegmentName name = new SegmentName(tenant, date, Integer.parseInt(segment.group(1)));
    Kind kind = segment.group(2).equals(DATA) ? new Kind.Data(name) : new Kind.Checksum(name);
    String canonical = kind instanceof Kind.Data ? name.dataKey() : name.checksumKey();
    return name.number() > 0 && canonical.equals(key) ? kind : new Kind.Unknown();
  }
}
