package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.DamagedBuffer;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.salvage.Watermark;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Quarantines a damaged buffer and puts a new one in its place, so that records are accepted at
/// once, before the sound records of the old one are salvaged.
///
/// The new buffer has the old one's id, assigns ids above all that were ever assigned, and lists
/// the files to be salvaged. It is complete, under another name, before any file is moved; after a
/// crash between two moves [#finishInterrupted] does the rest.
final class Quarantine {

  /// Used when it is not known which ids were assigned: far above any possible one.
  private static final long UNKNOWN_EPOCH = Totals.EPOCH << 16;

  private Quarantine() {}

  /// Quarantines `file`. Connections to it may be open. They are to be closed afterwards: SQLite
  /// then changes no file, since theirs was moved.
  ///
  /// @param file the buffer
  /// @param why the damage
  /// @param writer the one that has written the file in this run; null if there was none
  /// @throws StorageException when the new buffer cannot be created; then no file was moved
  static void replaceBuffer(
      Path file, long walLimit, Clock clock, StorageException why, @Nullable BufferWriter writer)
      throws StorageException, IOException {
    Watermark.Mark mark = markOf(file);
    Totals known = null;
    if (writer != null) {
      known = writer.totals();
      if (mark == null) {
        mark = new Watermark.Mark(writer.bufferId(), known.settledThrough(), known.lastId());
      }
    }
    long last = Math.max(mark == null ? 0 : mark.lastId(), known == null ? 0 : known.lastId());
    Path quarantined = SetAsideName.of(file, DirectoryLayout.DAMAGED_INFIX, clock.now());
    List<Path> unsalvaged = unsalvaged(file);
    unsalvaged.add(quarantined);
    createReplacement(
        file.resolveSibling(DirectoryLayout.NEW_BUFFER),
        walLimit,
        mark == null ? RandomId.create() : mark.bufferId(),
        last == 0 && mark == null ? UNKNOWN_EPOCH : Totals.epochAfter(last),
        mark == null ? 0 : mark.settledThrough(),
        known == null ? 0 : known.delivered(),
        unsalvaged);
    move(file, quarantined);
    PrivateFiles.syncDirectoryOf(file);
    if (known != null && mark != null) {
      Watermark.seal(file, mark.bufferId(), known);
    }
    finish(file, quarantined);
    Events.severe(
        EventNames.BUFFER_DAMAGED,
        "reason",
        why.getMessage(),
        "moved_to",
        quarantined.getFileName(),
        "action",
        "check the disk and keep the file: its sound records are salvaged automatically, and the"
            + " event salvage_completed has their number");
  }

  /// Finishes a quarantine that an earlier run did not, because it ended between two moves.
  static void finishInterrupted(Path file, long walLimit) throws StorageException, IOException {
    Path replacement = file.resolveSibling(DirectoryLayout.NEW_BUFFER);
    if (Files.exists(file) || !Files.exists(replacement)) {
      return;
    }
    String quarantined;
    try (Connection connection = Database.openWriter(replacement, walLimit, 0)) {
      quarantined = Sql.query(connection, "SELECT file FROM salvage ORDER BY rowid DESC LIMIT 1");
    } catch (SQLException failed) {
      throw SqliteFailure.of("opening " + replacement.getFileName(), failed);
    }
    finish(file, file.resolveSibling(quarantined));
  }

  private static void finish(Path file, Path quarantined) throws IOException {
    for (String suffix : List.of(DirectoryLayout.WAL_SUFFIX, DirectoryLayout.WATERMARK_SUFFIX)) {
      if (Files.exists(DirectoryLayout.beside(file, suffix))) {
        move(DirectoryLayout.beside(file, suffix), DirectoryLayout.beside(quarantined, suffix));
      }
    }
    Files.deleteIfExists(DirectoryLayout.beside(file, DirectoryLayout.SHM_SUFFIX));
    PrivateFiles.syncDirectoryOf(file);
    move(file.resolveSibling(DirectoryLayout.NEW_BUFFER), file);
    PrivateFiles.syncDirectoryOf(file);
  }

  private static Watermark.@Nullable Mark markOf(Path file) throws IOException {
    try (DamagedBuffer damaged = new DamagedBuffer(file)) {
      return damaged.mark();
    }
  }

  /// Quarantined files that are not salvaged. The buffer that lists them may be the one that is
  /// damaged now.
  private static List<Path> unsalvaged(Path file) throws IOException {
    List<Path> found = new ArrayList<>();
    Path directory = file.toAbsolutePath().getParent();
    String stem = file.getFileName() + DirectoryLayout.DAMAGED_INFIX;
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(
            directory, path -> path.getFileName().toString().startsWith(stem))) {
      for (Path one : all) {
        String name = one.getFileName().toString();
        boolean companion =
            name.endsWith(DirectoryLayout.WAL_SUFFIX)
                || name.endsWith(DirectoryLayout.SHM_SUFFIX)
                || name.endsWith(DirectoryLayout.WATERMARK_SUFFIX)
                || name.endsWith(DirectoryLayout.SALVAGE_REPORT_SUFFIX);
        if (!companion && !Files.exists(SalvageReport.of(one))) {
          found.add(one);
        }
      }
    }
    found.sort(null);
    return found;
  }

  private static void createReplacement(
      Path replacement,
      long walLimit,
      String bufferId,
      long epoch,
      long settled,
      long delivered,
      List<Path> unsalvaged)
      throws StorageException, IOException {
    for (String suffix : List.of("", DirectoryLayout.WAL_SUFFIX, DirectoryLayout.SHM_SUFFIX)) {
      Files.deleteIfExists(DirectoryLayout.beside(replacement, suffix));
    }
    PrivateFiles.createIfMissing(replacement);
    // Closed, and thereby checkpointed, before it is moved into place.
    try (Connection connection = Database.openWriter(replacement, walLimit, 0)) {
      Sql.execute(connection, "BEGIN");
      try (PreparedStatement meta =
              connection.prepareStatement(
                  "UPDATE meta SET buffer_id=?, salvaged_through=?, settled_through=?, accepted=?,"
                      + " delivered=?");
          PreparedStatement salvage =
              connection.prepareStatement("INSERT INTO salvage VALUES (?, 0)")) {
        meta.setString(1, bufferId);
        meta.setLong(2, epoch);
        meta.setLong(3, settled);
        meta.setLong(4, delivered);
        meta.setLong(5, delivered);
        int _ = meta.executeUpdate();
        for (Path file : unsalvaged) {
          salvage.setString(1, file.getFileName().toString());
          int _ = salvage.executeUpdate();
        }
      }
      Sql.execute(connection, "COMMIT");
    } catch (SQLException failed) {
      throw SqliteFailure.of("creating a new buffer", failed);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }
}
