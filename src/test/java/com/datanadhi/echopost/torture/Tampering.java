package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// A way of changing the objects of one tenant.
///
/// @param tenant whose name says what is done
/// @param finder which look finds it
/// @param outcome what a restore that reads the objects has to do
/// @param action changes the objects, and returns texts of which a fault's line has to have one
record Tampering(String tenant, Finder finder, Outcome outcome, Action action) {
  /// Which look finds it.
  enum Finder {
    /// `verify archive` with nothing but the store.
    ARCHIVE,
    /// `verify snapshots` with nothing but the store.
    SNAPSHOTS,
    /// Only `verify all`, which compares archive, snapshots and live databases.
    ALL
  }

  /// What a restore has to do.
  enum Outcome {
    /// It names the object and makes nothing.
    REFUSED,
    /// It need not use the object: it is refused, or its result is right.
    REFUSED_OR_RIGHT
  }

  interface Action {
    List<String> apply(Target target) throws IOException, SQLException;
  }

  /// The objects of the tenant: at least five segments, and two snapshots, of which the second is
  /// not at the archive's end.
  ///
  /// @param foreign another tenant
  record Target(HubObjects objects, String tenant, String foreign, Random random) {
    List<Path> segments() throws IOException {
      return objects.segments(tenant);
    }

    Path segment(int index) throws IOException {
      return segments().get(index);
    }

    Path last() throws IOException {
      return segments().getLast();
    }

    Path manifest() throws IOException {
      return objects.manifests(tenant).getLast();
    }

    /// A file of the newest snapshot.
    Path snapshot(String file) throws IOException {
      return manifest().resolveSibling(file);
    }

    Path olderSnapshot(String file) throws IOException {
      return objects.manifests(tenant).getFirst().resolveSibling(file);
    }
  }

  private static Tampering archive(String tenant, Action action) {
    return new Tampering(tenant, Finder.ARCHIVE, Outcome.REFUSED, action);
  }

  private static Tampering snapshot(String tenant, Action action) {
    return new Tampering(tenant, Finder.SNAPSHOTS, Outcome.REFUSED, action);
  }

  /// Changes a database of the newest snapshot, and makes the digests in the manifest fit.
  private static Tampering forged(String tenant, String file, String sql) {
    return snapshot(
        tenant,
        t -> {
          execute(t.snapshot(file), sql);
          ForgedObjects.correctDigests(t.manifest());
          return names(t.snapshot(file));
        });
  }

  /// All that are known.
  static final List<Tampering> ALL =
      List.of(
          archive("data-deleted", t -> deleted(t.segment(1))),
          archive("checksum-deleted", t -> deleted(HubObjects.checksum(t.segment(1)))),
          archive("segment-deleted", t -> deletedPair(t.segment(1))),
          archive("first-deleted", t -> deletedPair(t.segment(0))),
          archive("last-data-deleted", t -> deleted(t.last())),
          archive(
              "data-swapped",
              t -> {
                swap(t.segment(1), t.segment(2));
                return names(t.segment(1), t.segment(2));
              }),
          archive(
              "pairs-swapped",
              t -> {
                swap(t.segment(1), t.segment(2));
                swap(HubObjects.checksum(t.segment(1)), HubObjects.checksum(t.segment(2)));
                return pairNames(t.segment(1), t.segment(2));
              }),
          archive("data-cut", t -> cut(t.segment(1))),
          archive("checksum-cut", t -> cut(HubObjects.checksum(t.segment(1)))),
          archive(
              "repeated-at-the-end",
              t -> {
                Path last = t.last();
                Path next = next(last);
                Files.copy(last, next);
                Files.copy(HubObjects.checksum(last), HubObjects.checksum(next));
                return pairNames(next);
              }),
          archive(
              "repeated-in-the-middle",
              t -> {
                replace(t.segment(2), t.segment(1));
                replace(HubObjects.checksum(t.segment(2)), HubObjects.checksum(t.segment(1)));
                return pairNames(t.segment(2));
              }),
          archive(
              "line-edited",
              t -> {
                ForgedObjects.rewrite(
                    t.segment(1), ForgedObjects.edited(ForgedObjects.lines(t.segment(1))));
                return pairNames(t.segment(1), t.segment(2));
              }),
          archive(
              "line-edited-and-chain",
              t -> {
                ForgedObjects.rewrite(
                    t.segment(1), ForgedObjects.edited(ForgedObjects.lines(t.segment(1))));
                ForgedObjects.rechain(t.segments().subList(0, 2), 1);
                return pairNames(t.segment(1), t.segment(2));
              }),
          new Tampering(
              "chains-recomputed",
              Finder.ALL,
              Outcome.REFUSED,
              t -> {
                ForgedObjects.rewrite(
                    t.segment(1), ForgedObjects.edited(ForgedObjects.lines(t.segment(1))));
                ForgedObjects.rechain(t.segments(), 1);
                return List.of("archive/" + t.tenant() + "/");
              }),
          archive(
              "foreign",
              t -> {
                Path other = t.objects().segments(t.foreign()).get(1);
                replace(t.segment(1), other);
                replace(HubObjects.checksum(t.segment(1)), HubObjects.checksum(other));
                return pairNames(t.segment(1));
              }),
          archive(
              "older-version",
              t -> {
                // As it was when it had fewer records.
                ForgedObjects.shorten(t.segments(), 1, 1);
                return pairNames(t.segment(1), t.segment(2));
              }),
          archive("bit-of-data", t -> flipped(t.segment(1), t.random())),
          archive(
              "bit-of-checksum",
              t -> {
                flipped(HubObjects.checksum(t.segment(1)), t.random());
                return pairNames(t.segment(1), t.segment(2));
              }),
          archive("empty-data", t -> emptied(t.segment(1))),
          archive("empty-checksum", t -> emptied(HubObjects.checksum(t.segment(1)))),
          new Tampering(
              "unknown-file",
              Finder.ARCHIVE,
              Outcome.REFUSED_OR_RIGHT,
              t -> created(t.segment(1).resolveSibling("notes.txt"))),
          new Tampering(
              "unknown-folder",
              Finder.ARCHIVE,
              Outcome.REFUSED_OR_RIGHT,
              t -> {
                created(t.objects().folder().resolve("archive").resolve("No.Tenant").resolve("x"));
                return List.of("archive/No.Tenant/");
              }),
          archive(
              "forged-retention",
              t -> {
                String checksum = Files.readString(HubObjects.checksum(t.segment(2)));
                Path mark =
                    t.objects()
                        .archive(t.tenant())
                        .resolve(
                            "retained_%020d.json"
                                .formatted(
                                    Long.parseLong(ForgedObjects.member(checksum, "first_seq"))));
                Files.writeString(mark, checksum.replaceAll("[0-9a-f]{64}", "0".repeat(64)));
                return List.of(mark.getFileName().toString(), segmentName(t.segment(2)));
              }),
          snapshot(
              "manifest-chain", t -> edited(t.manifest(), "chain", "0".repeat(64), "canonical.db")),
          new Tampering(
              "manifest-cut", Finder.SNAPSHOTS, Outcome.REFUSED_OR_RIGHT, t -> cut(t.manifest())),
          new Tampering(
              "manifest-of-another",
              Finder.SNAPSHOTS,
              Outcome.REFUSED_OR_RIGHT,
              t -> edited(t.manifest(), "tenant_id", t.foreign(), "manifest.json")),
          snapshot(
              "manifest-seq",
              t -> {
                String text = Files.readString(t.manifest());
                long seq = Long.parseLong(ForgedObjects.member(text, "seq"));
                Files.writeString(t.manifest(), ForgedObjects.number(text, "seq", seq - 1));
                return List.of(name(t.snapshot("canonical.db")), name(t.manifest()));
              }),
          snapshot(
              "database-older",
              t -> {
                replace(t.snapshot("canonical.db"), t.olderSnapshot("canonical.db"));
                replace(t.snapshot("mailbox.db"), t.olderSnapshot("mailbox.db"));
                ForgedObjects.correctDigests(t.manifest());
                return names(t.snapshot("canonical.db"));
              }),
          snapshot("database-deleted", t -> deleted(t.snapshot("canonical.db"))),
          snapshot("database-bit", t -> flipped(t.snapshot("canonical.db"), t.random())),
          snapshot("database-empty", t -> emptied(t.snapshot("canonical.db"))),
          snapshot("mailbox-cut", t -> cut(t.snapshot("mailbox.db"))),
          snapshot(
              "database-edited",
              t -> {
                execute(
                    t.snapshot("canonical.db"),
                    "UPDATE events SET log_data = replace(log_data, '\"amount\":1', '\"amount\":9')"
                        + " WHERE seq = 3");
                ForgedObjects.correctDigests(t.manifest());
                return names(t.snapshot("canonical.db"));
              }),
          forged(
              "key-forged",
              "canonical.db",
              "INSERT INTO applied_events SELECT tenant_id, 'order-99', result_json, applied_at"
                  + " FROM applied_events WHERE idempotency_key = 'order-1'"),
          forged(
              "key-deleted",
              "canonical.db",
              "DELETE FROM applied_events WHERE idempotency_key = 'order-1'"),
          forged(
              "key-edited",
              "canonical.db",
              "UPDATE applied_events SET result_json = json_set(result_json, '$.seq', 2) WHERE"
                  + " idempotency_key = 'order-1'"),
          forged(
              "source-forged",
              "canonical.db",
              "INSERT INTO sources VALUES ('0123456789abcdef0123456789abcdef', 1, 9, 0)"),
          forged("source-longer", "canonical.db", "UPDATE sources SET last = last + 5"),
          forged("source-deleted", "canonical.db", "DELETE FROM sources"),
          forged("item-forged", "mailbox.db", "INSERT INTO items VALUES ('other', 1, 1)"),
          forged("item-deleted", "mailbox.db", "DELETE FROM items WHERE n = 3"),
          forged("item-edited", "mailbox.db", "UPDATE items SET seq = seq + 1 WHERE n = 3"),
          forged("last-item-edited", "mailbox.db", "UPDATE pipelines SET last_n = last_n - 1"),
          forged("items-left-forged", "canonical.db", "INSERT INTO items_left VALUES ('p', 5)"),
          forged(
              "position-edited",
              "canonical.db",
              "UPDATE events SET position = position || '0' WHERE seq = 3"),
          forged(
              "durability-edited",
              "canonical.db",
              "UPDATE events SET durability = 'ram' WHERE seq = 3"),
          snapshot(
              "foreign-snapshot",
              t -> {
                Path other = t.objects().manifests(t.foreign()).getLast();
                for (String file : List.of("canonical.db", "mailbox.db")) {
                  replace(t.snapshot(file), other.resolveSibling(file));
                }
                ForgedObjects.correctDigests(t.manifest());
                return names(t.snapshot("canonical.db"));
              }),
          new Tampering(
              "unknown-in-snapshot",
              Finder.SNAPSHOTS,
              Outcome.REFUSED_OR_RIGHT,
              t -> created(t.snapshot("more.db"))));

  /// The end of the object's name in a fault: the folder and the file.
  private static String name(Path file) {
    return file.getName(file.getNameCount() - 2) + "/" + file.getFileName();
  }

  private static String segmentName(Path segment) {
    return name(segment).replace(".jsonl.gz", "");
  }

  private static List<String> names(Path... files) {
    return Arrays.stream(files).map(Tampering::name).toList();
  }

  /// Data object or checksum of these segments.
  private static List<String> pairNames(Path... segments) {
    return Arrays.stream(segments).map(Tampering::segmentName).toList();
  }

  private static List<String> deleted(Path file) throws IOException {
    Files.delete(file);
    return names(file);
  }

  private static List<String> deletedPair(Path segment) throws IOException {
    Files.delete(segment);
    Files.delete(HubObjects.checksum(segment));
    return pairNames(segment);
  }

  private static void swap(Path one, Path other) throws IOException {
    byte[] bytes = Files.readAllBytes(one);
    Files.write(one, Files.readAllBytes(other));
    Files.write(other, bytes);
  }

  private static void replace(Path file, Path by) throws IOException {
    Files.copy(by, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private static List<String> cut(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1 - bytes.length / 3));
    return names(file);
  }

  private static List<String> emptied(Path file) throws IOException {
    Files.write(file, new byte[0]);
    return names(file);
  }

  private static List<String> flipped(Path file, Random random) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    Files.write(file, bytes);
    return names(file);
  }

  private static List<String> created(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "who knows");
    return names(file);
  }

  private static List<String> edited(Path file, String member, String value, String named)
      throws IOException {
    Files.writeString(file, ForgedObjects.text(Files.readString(file), member, value));
    return names(file.resolveSibling(named));
  }

  /// The data object with the next number.
  private static Path next(Path segment) {
    String file = segment.getFileName().toString();
    int number = Integer.parseInt(file.substring("segment_".length(), file.indexOf('.')));
    return segment.resolveSibling("segment_%06d.jsonl.gz".formatted(number + 1));
  }

  private static void execute(Path database, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      int changed = statement.executeUpdate(sql);
      statement.execute("PRAGMA journal_mode = DELETE");
      if (changed == 0) {
        throw new IllegalStateException("nothing was changed by " + sql);
      }
    }
  }
}
