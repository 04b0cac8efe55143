package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/// What somebody can do who knows the formats of the objects: change records, and make digests,
/// links and chains fit again.
final class ForgedObjects {
  private static final Pattern LINE =
      Pattern.compile(
          "\\{\"seq\":([0-9]+),\"key\":\"([^\"]*)\",\"part\":([0-9]+),\"received_at\":\"([^\"]*)\","
              + "\"position\":\"[^\"]*\",\"pipelines\":\\[([^\\]]*)\\],\"log_data\":(.*),"
              + "\"durability\":\"[^\"]*\"\\}");
  private static final Pattern NAME = Pattern.compile("\"([^\"]*)\"");

  private ForgedObjects() {}

  static List<String> lines(Path segment) throws IOException {
    try (GZIPInputStream packed =
        new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(segment)))) {
      return new String(packed.readAllBytes(), UTF_8).lines().toList();
    }
  }

  /// Changes the payload of a record in the middle.
  static List<String> edited(List<String> lines) {
    List<String> edited = new ArrayList<>(lines);
    int middle = edited.size() / 2;
    edited.set(middle, edited.get(middle).replace("\"amount\":1", "\"amount\":9"));
    if (edited.equals(lines)) {
      throw new IllegalStateException("there is nothing to edit in " + lines.get(middle));
    }
    return edited;
  }

  /// Writes other lines, and corrects size and digest in the checksum.
  static void rewrite(Path segment, List<String> lines) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream packed = new GZIPOutputStream(bytes)) {
      packed.write((String.join("\n", lines) + "\n").getBytes(UTF_8));
    }
    Files.write(segment, bytes.toByteArray());
    Path checksum = HubObjects.checksum(segment);
    String text = Files.readString(checksum);
    text = number(text, "bytes", bytes.size());
    Files.writeString(checksum, text(text, "sha256", hex(bytes.toByteArray())));
  }

  /// Makes the checksums from this segment on fit its lines: chains and links.
  static void rechain(List<Path> segments, int first) throws IOException {
    String chain =
        member(Files.readString(HubObjects.checksum(segments.get(first))), "chain_before");
    String previous = "";
    for (Path segment : segments.subList(first, segments.size())) {
      Path checksum = HubObjects.checksum(segment);
      String text = text(Files.readString(checksum), "chain_before", chain);
      chain = chain(chain, lines(segment));
      text = text(text, "chain_after", chain);
      Files.writeString(checksum, previous.isEmpty() ? text : text(text, "previous", previous));
      previous = hex(Files.readAllBytes(checksum));
    }
  }

  /// Leaves only the first lines of a segment, with a checksum that fits.
  static void shorten(List<Path> segments, int index, int count) throws IOException {
    Path segment = segments.get(index);
    List<String> lines = lines(segment).subList(0, count);
    rewrite(segment, lines);
    Path checksum = HubObjects.checksum(segment);
    String text = number(Files.readString(checksum), "events", count);
    long first = Long.parseLong(member(text, "first_seq"));
    Files.writeString(checksum, number(text, "last_seq", first + count - 1));
    rechain(segments.subList(0, index + 1), index);
  }

  private static String chain(String before, List<String> lines) {
    byte[] chain = HexFormat.of().parseHex(before);
    for (String line : lines) {
      Matcher parts = LINE.matcher(line);
      if (!parts.matches()) {
        throw new IllegalStateException("another format: " + line);
      }
      List<String> pipelines =
          NAME.matcher(parts.group(5)).results().map(name -> name.group(1)).toList();
      chain =
          HubTenant.chained(
              chain,
              Long.parseLong(parts.group(1)),
              Long.parseLong(parts.group(3)),
              Instant.parse(parts.group(4)).toEpochMilli(),
              parts.group(2),
              pipelines,
              parts.group(6));
    }
    return HexFormat.of().formatHex(chain);
  }

  /// Makes the digests in a snapshot's manifest fit its files.
  static void correctDigests(Path manifest) throws IOException {
    String text = Files.readString(manifest);
    for (String name : List.of("canonical.db", "mailbox.db")) {
      byte[] bytes = Files.readAllBytes(manifest.resolveSibling(name));
      text =
          text.replaceFirst(
              "(\""
                  + name
                  + "\"\\s*:\\s*\\{\\s*\"bytes\"\\s*:\\s*)[0-9]+"
                  + "(\\s*,\\s*\"sha256\"\\s*:\\s*\")[0-9a-f]+",
              "$1" + bytes.length + "$2" + hex(bytes));
    }
    Files.writeString(manifest, text);
  }

  static String member(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"?([^\",}]*)").matcher(json);
    if (!found.find()) {
      throw new IllegalStateException("no " + name + " in " + json);
    }
    return found.group(1).strip();
  }

  static String text(String json, String name, String value) {
    return json.replaceFirst("(\"" + name + "\"\\s*:\\s*)\"[^\"]*\"", "$1\"" + value + "\"");
  }

  static String number(String json, String name, long value) {
    return json.replaceFirst("(\"" + name + "\"\\s*:\\s*)[0-9]+", "$1" + value);
  }

  private static String hex(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
