package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.Administration.LogCheck;
import com.datanadhi.hub.log.segments.LogVerifier;
import java.io.IOException;
import java.nio.file.Path;

/// Reads the log of a data directory as it is. It changes nothing and needs no lock.
public final class LogCheckup {
  private LogCheckup() {}

  /// Reads every record and names what is damaged. What a hub writes meanwhile is no damage.
  ///
  /// @throws IOException a directory of the log cannot be listed
  public static LogCheck read(Path dataDirectory) throws IOException {
    return of(LogVerifier.verify(dataDirectory.resolve(OpenDirectory.LOG)));
  }

  static LogCheck of(LogVerifier.Report report) {
    return new LogCheck(
        report.records(),
        report.bytes(),
        Math.toIntExact(report.segments()),
        report.findings().stream().map(LogVerifier.Finding::toString).toList());
  }
}
