package com.datanadhi.echopost.torture;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A tenant's `canonical.db` compared with what its senders know: every acknowledged record once,
/// in the order of its source, with its content, and nothing that was not sent.
///
/// @param stored what the database has
/// @param faults one line each; a missing record is none
/// @param missing keys of acknowledged records that are not stored
record SourceCheck(HubTenant stored, List<String> faults, Set<String> missing) {

  /// Checks a tenant of a hub that does not run.
  ///
  /// @param senders all of this tenant
  static SourceCheck of(Path data, String tenant, List<SourceSender> senders) throws SQLException {
    HubTenant stored = HubTenant.read(data, tenant);
    List<String> faults = new ArrayList<>(stored.faults());
    faults.addAll(integrity(data, tenant));
    Map<String, SourceSender> bySource = new HashMap<>();
    senders.forEach(sender -> bySource.put(sender.source(), sender));
    Set<String> keys = new HashSet<>();
    Map<String, Long> last = new HashMap<>();
    for (HubTenant.Stored record : stored.records()) {
      keys.add(record.key());
      HubTenant.Numbered numbered = HubTenant.numbered(record.key());
      SourceSender sender = numbered == null ? null : bySource.get(numbered.source());
      if (numbered == null || sender == null || numbered.n() > sender.sent()) {
        faults.add(tenant + ": " + record.key() + " was never sent");
        continue;
      }
      Long before = last.put(numbered.source(), numbered.n());
      if (before != null && before >= numbered.n()) {
        faults.add(tenant + ": " + record.key() + " is stored after number " + before);
      }
      if (!SourceSender.logData(numbered.source(), numbered.n(), sender.bytes())
          .equals(record.logData())) {
        faults.add(tenant + ": " + record.key() + " is stored with other content");
      }
    }
    Set<String> missing = new HashSet<>();
    for (SourceSender sender : senders) {
      for (long n = 1; n <= sender.acknowledged(); n++) {
        String key = sender.source() + "-" + n;
        if (!keys.contains(key)) {
          missing.add(key);
        }
      }
    }
    return new SourceCheck(stored, faults, missing);
  }

  /// Adds what is wrong to the result.
  ///
  /// @param lossAllowed keys of records that may be missing
  void report(String round, Set<String> lossAllowed, CampaignResult result) {
    faults.stream().limit(5).forEach(fault -> result.addViolation(round + ": " + fault));
    Set<String> lost = new HashSet<>(missing);
    lost.removeAll(lossAllowed);
    if (!lost.isEmpty()) {
      result.addViolation(
          round
              + ": "
              + stored.tenant()
              + ": acknowledged, but not stored: "
              + lost.stream().sorted().limit(5).toList()
              + " ("
              + lost.size()
              + ")");
    }
    result.add(CampaignResult.Counter.DELIVERED, stored.records().size());
    result.add(CampaignResult.Counter.LOST, lost.size());
  }

  private static List<String> integrity(Path data, String tenant) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:file:" + HubTenant.database(data, tenant) + "?mode=ro");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA integrity_check(1)")) {
      String found = row.getString(1);
      return found.equals("ok") ? List.of() : List.of(tenant + ": " + found);
    }
  }
}
