package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// A tenant's archive compared with its `canonical.db`, without code of the hub: every record once
/// and the same, no hole between segments, and the same chain at the end.
final class ArchiveCheck {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final Pattern MEMBER =
      Pattern.compile("\"([a-z0-9_]+)\":(?:\"([^\"]*)\"|([0-9]+|null))");

  private final HubTenant stored;
  private final List<String> faults = new ArrayList<>();
  private long lastSeq;
  private String chain = "";
  private String previous = "null";

  private ArchiveCheck(HubTenant stored) {
    this.stored = stored;
  }

  /// What is wrong, one line each.
  ///
  /// @param archive the folder `archive` of the object store
  /// @param stored all that the tenant has, from seq 1
  static List<String> faults(Path archive, HubTenant stored) throws IOException {
    ArchiveCheck check = new ArchiveCheck(stored);
    check.check(archive.resolve(stored.tenant()));
    return check.faults;
  }

  private void check(Path folder) throws IOException {
    for (Path date : Files.isDirectory(folder) ? sorted(folder) : List.<Path>of()) {
      List<Path> files = sorted(date);
      long segments = files.stream().filter(file -> file.toString().endsWith(".checksum")).count();
      if (files.size() != 2 * segments) {
        fault(date, files.size() + " files for " + segments + " segments");
      }
      for (int number = 1; number <= segments; number++) {
        segment(date, String.format(Locale.ROOT, "segment_%06d", number));
      }
    }
    expect(folder, "the last seq", lastSeq, stored.records().size());
    if (lastSeq > 0) {
      expect(folder, "the chain", chain, stored.chain());
    }
  }

  private static List<Path> sorted(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }

  private void segment(Path date, String name) throws IOException {
    Path data = date.resolve(name + ".jsonl.gz");
    Path checksum = date.resolve(name + ".checksum");
    if (!Files.exists(data) || !Files.exists(checksum)) {
      fault(data, "it or its .checksum is missing");
      return;
    }
    byte[] packed = Files.readAllBytes(data);
    String json = Files.readString(checksum);
    expect(checksum, "tenant", member(json, "tenant"), stored.tenant());
    expect(checksum, "sha256", member(json, "sha256"), sha256(packed));
    expect(checksum, "bytes", member(json, "bytes"), packed.length);
    expect(checksum, "previous", member(json, "previous"), previous);
    expect(checksum, "first_seq", member(json, "first_seq"), lastSeq + 1);
    if (lastSeq > 0) {
      expect(checksum, "chain_before", member(json, "chain_before"), chain);
    }
    long before = lastSeq;
    records(data, date.getFileName().toString(), packed);
    expect(checksum, "last_seq", member(json, "last_seq"), lastSeq);
    expect(checksum, "events", member(json, "events"), lastSeq - before);
    chain = member(json, "chain_after");
    previous = sha256(json.getBytes(UTF_8));
  }

  private void records(Path data, String date, byte[] packed) {
    String lines;
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
      lines = new String(in.readAllBytes(), UTF_8);
    } catch (IOException damaged) {
      fault(data, damaged.toString());
      return;
    }
    for (String line : lines.lines().toList()) {
      lastSeq++;
      if (lastSeq > stored.records().size()) {
        fault(data, "seq " + lastSeq + " is not in canonical.db");
      } else {
        HubTenant.Stored record = stored.records().get((int) lastSeq - 1);
        String time = TIME.format(Instant.ofEpochMilli(record.receivedAt()));
        expect(data, "line", line, line(record, time));
        expect(data, "date", time.substring(0, 10), date);
      }
    }
  }

  private static String line(HubTenant.Stored record, String time) {
    return "{\"seq\":"
        + record.seq()
        + ",\"key\":\""
        + record.key()
        + "\",\"part\":"
        + record.part()
        + ",\"received_at\":\""
        + time
        + "\",\"position\":\""
        + record.position()
        + "\",\"pipelines\":"
        + record.pipelines()
        + ",\"log_data\":"
        + record.logData()
        + ",\"durability\":\""
        + record.durability()
        + "\"}";
  }

  /// A member of an object without objects in it; empty if there is none.
  private static String member(String json, String name) {
    Matcher members = MEMBER.matcher(json);
    while (members.find()) {
      if (members.group(1).equals(name)) {
        return members.group(2) == null ? members.group(3) : members.group(2);
      }
    }
    return "";
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private void expect(Path file, String what, Object found, Object expected) {
    if (!found.toString().equals(expected.toString())) {
      fault(file, what + " is " + found + ", not " + expected);
    }
  }

  private void fault(Path file, String text) {
    faults.add(stored.tenant() + ": " + file.getFileName() + ": " + text);
  }
}
