package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The result of a salvage of one damaged buffer.
///
/// @param file the damaged buffer
/// @param found sound pending records in it
/// @param rejected sound records in its table `rejected`
/// @param restored how many of both this salvage stored; the others existed already
/// @param watermarkKnown whether it was known which records were settled; if not, some records that
///   the server has may be among those found, or among the missing ones
/// @param missing how many ids have no sound record, by the gaps between the ids
/// @param missingIds these ids, as `3-5, 9`
public record SalvageReport(
    Path file,
    long found,
    long rejected,
    long restored,
    boolean watermarkKnown,
    long missing,
    String missingIds) {
  private static final int MAX_IDS_IN_EVENT_CHARS = 2_000;

  /// Whether no record is missing, and the file was readable: records were found, or it is known
  /// which were settled.
  public boolean isComplete() {
    return missing == 0 && (watermarkKnown || found + rejected > 0);
  }

  static String names(IdSet.Missing missing) {
    long more = missing.ranges() - missing.named().size();
    return String.join(", ", missing.named()) + (more == 0 ? "" : " and " + more + " ranges more");
  }

  /// Logs the result.
  public void logResult() {
    Events.info(
        EventNames.SALVAGE_COMPLETED,
        "file",
        file.getFileName(),
        "records",
        found,
        "rejected",
        rejected,
        "restored",
        restored,
        "watermark_known",
        watermarkKnown);
    if (missing > 0) {
      Events.severe(
          EventNames.RECORDS_MISSING,
          "count",
          missing,
          "ids",
          missingIds.length() <= MAX_IDS_IN_EVENT_CHARS
              ? missingIds
              : missingIds.substring(0, MAX_IDS_IN_EVENT_CHARS) + "…",
          "action",
          "no sound copy of them is in "
              + file.getFileName()
              + "; all their ids are in "
              + of(file).getFileName());
    }
  }

  /// The file with the report of `damaged`, which marks the salvage as finished.
  public static Path of(Path damaged) {
    return DirectoryLayout.beside(damaged, DirectoryLayout.SALVAGE_REPORT_SUFFIX);
  }

  /// Writes the report beside the damaged file; when this returns, it is on stable storage.
  public void write() throws IOException {
    String text =
        "sound pending records: "
            + found
            + "\nsound rejected records: "
            + rejected
            + "\nwhich were settled: "
            + (watermarkKnown ? "known" : "unknown")
            + "\nrecords gone: "
            + missing
            + (missing == 0 ? "" : "\ntheir ids: " + missingIds)
            + "\n";
    try (FileChannel out =
        PrivateFiles.open(
            of(file),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      int _ = out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
      out.force(true);
    }
    PrivateFiles.syncDirectoryOf(file);
  }
}
