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

/// What a salvage of one damaged buffer came to.
///
/// @param file the damaged buffer
/// @param found sound pending records in it
/// @param rejected sound records in its table `rejected`
/// @param restored how many of both this put back; the others were back already
/// @param watermarkKnown whether it was known which records were settled already; where not, some
///   that the server has may be among those found, and among those gone
/// @param missing how many ids there are of which nothing sound was found, as far as the ids tell
/// @param missingIds those ids, for people: `3-5, 9`
public record SalvageReport(
    Path file,
    long found,
    long rejected,
    long restored,
    boolean watermarkKnown,
    long missing,
    String missingIds) {
  private static final int LONGEST_IN_AN_EVENT = 2_000;

  /// Whether something was there, and nothing is known to be gone.
  public boolean isComplete() {
    return missing == 0 && (watermarkKnown || found + rejected > 0);
  }

  static String names(IdSet.Missing missing) {
    long more = missing.ranges() - missing.named().size();
    return String.join(", ", missing.named()) + (more == 0 ? "" : " and " + more + " ranges more");
  }

  /// Says it in the session log.
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
          missingIds.length() <= LONGEST_IN_AN_EVENT
              ? missingIds
              : missingIds.substring(0, LONGEST_IN_AN_EVENT) + "…",
          "action",
          "nothing sound of them is in "
              + file.getFileName()
              + "; all their ids are in "
              + of(file).getFileName());
    }
  }

  /// The file that keeps the report of `damaged`, and marks it as done with.
  public static Path of(Path damaged) {
    return DirectoryLayout.beside(damaged, DirectoryLayout.SALVAGE_REPORT_SUFFIX);
  }

  /// Keeps it beside the damaged file.
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
