package com.datanadhi.echopost.torture;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a restore up to a seq must have: the live tenant's records up to there, and what follows
/// from them. Computed without code of the hub.
///
/// @param data of the live tenant
/// @param live of which the first seq is 1
/// @param seq the last one, which ends a transaction; 0 for nothing
record HubCut(Path data, HubTenant live, long seq) {
  private static final Pattern PIPELINE = Pattern.compile("\"([^\"]*)\"");
  private static final String KEYS =
      "SELECT tenant_id, idempotency_key, result_json, applied_at FROM applied_events"
          + " WHERE json_extract(result_json, '$.seq') <= %d ORDER BY 1, 2";

  /// The cut of whole transactions at a seq or before.
  static HubCut atSeq(Path data, HubTenant live, long seq) {
    long end = seq;
    while (end > 0 && end < live.records().size() && live.records().get((int) end).part() > 1) {
      end--;
    }
    return new HubCut(data, live, end);
  }

  /// The cut of whole transactions that were received at a moment or before.
  static HubCut atTime(Path data, HubTenant live, long millis) {
    long end = 0;
    while (end < live.records().size() && live.records().get((int) end).receivedAt() <= millis) {
      end++;
    }
    return atSeq(data, live, end);
  }

  List<HubTenant.Stored> records() {
    return live.records().subList(0, (int) seq);
  }

  /// How the restored tenant differs, a line each.
  List<String> differences(Path restored) throws SQLException {
    List<String> found = new ArrayList<>();
    HubTenant other = HubTenant.read(restored, live.tenant());
    // The chain that was computed from the rows is compared with the one that is stored.
    found.addAll(other.faults());
    if (other.records().size() != seq) {
      found.add("has " + other.records().size() + " records instead of " + seq);
    }
    int common = Math.min(other.records().size(), (int) seq);
    for (int i = 0; i < common; i++) {
      if (!other.records().get(i).equals(live.records().get(i))) {
        found.add("has " + other.records().get(i) + " instead of " + live.records().get(i));
        break;
      }
    }
    if (seq > 0 && found.isEmpty()) {
      String tenant = live.tenant();
      Path canonical = HubTenant.database(restored, tenant);
      compare(
          found,
          "keys",
          rows(HubTenant.database(data, tenant), KEYS.formatted(seq)),
          rows(canonical, KEYS.formatted(Long.MAX_VALUE)));
      compare(
          found,
          "sources",
          sources(),
          rows(
              canonical,
              "SELECT source, first, last, last_received_at FROM sources ORDER BY 1, 2"));
      compare(
          found,
          "items",
          items(),
          rows(mailbox(restored, tenant), "SELECT pipeline, n, seq FROM items ORDER BY 1, 2"));
      compare(
          found,
          "cursors beyond the items",
          List.of(),
          rows(
              mailbox(restored, tenant),
              "SELECT c.pipeline, c.consumer, c.through FROM cursors c LEFT JOIN pipelines p"
                  + " ON p.pipeline = c.pipeline WHERE c.through > coalesce(p.last_n, 0)"));
    }
    return found.stream().map(line -> live.tenant() + ": " + line).toList();
  }

  private static void compare(
      List<String> found, String what, List<String> expected, List<String> restored) {
    int common = Math.min(expected.size(), restored.size());
    for (int i = 0; i < common; i++) {
      if (!expected.get(i).equals(restored.get(i))) {
        found.add(what + ": " + restored.get(i) + " instead of " + expected.get(i));
        return;
      }
    }
    if (expected.size() != restored.size()) {
      found.add(what + ": " + restored.size() + " instead of " + expected.size());
    }
  }

  static Path mailbox(Path data, String tenant) {
    return HubTenant.database(data, tenant).resolveSibling("mailbox.db");
  }

  private static List<String> rows(Path database, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    if (!Files.exists(database)) {
      return rows;
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:file:" + database + "?mode=ro");
        Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA busy_timeout = 10000");
      try (ResultSet row = statement.executeQuery(sql)) {
        int columns = row.getMetaData().getColumnCount();
        while (row.next()) {
          StringBuilder text = new StringBuilder();
          for (int column = 1; column <= columns; column++) {
            text.append(column == 1 ? "" : "|").append(row.getString(column));
          }
          rows.add(text.toString());
        }
      }
    }
    return rows;
  }

  /// The runs of each source, with the latest time of each.
  private List<String> sources() {
    Map<String, NavigableMap<Long, Long>> times = new TreeMap<>();
    for (HubTenant.Stored record : records()) {
      HubTenant.Numbered numbered = HubTenant.numbered(record.key());
      if (numbered != null) {
        times
            .computeIfAbsent(numbered.source(), _ -> new TreeMap<>())
            .merge(numbered.n(), record.receivedAt(), Math::max);
      }
    }
    List<String> runs = new ArrayList<>();
    times.forEach((source, numbers) -> {
      long first = -1;
      long last = -1;
      long latest = 0;
      for (Map.Entry<Long, Long> number : numbers.entrySet()) {
        if (first >= 0 && number.getKey() != last + 1) {
          runs.add(source + "|" + first + "|" + last + "|" + latest);
          first = -1;
        }
        latest = first < 0 ? number.getValue() : Math.max(latest, number.getValue());
        first = first < 0 ? number.getKey() : first;
        last = number.getKey();
      }
      runs.add(source + "|" + first + "|" + last + "|" + latest);
    });
    return runs;
  }

  private List<String> items() {
    Map<String, List<Long>> seqs = new TreeMap<>();
    Map<String, List<String>> names = new HashMap<>();
    for (HubTenant.Stored record : records()) {
      for (String pipeline : names.computeIfAbsent(record.pipelines(), HubCut::names)) {
        seqs.computeIfAbsent(pipeline, _ -> new ArrayList<>()).add(record.seq());
      }
    }
    List<String> items = new ArrayList<>();
    seqs.forEach((pipeline, all) -> {
      for (int i = 0; i < all.size(); i++) {
        items.add(pipeline + "|" + (i + 1) + "|" + all.get(i));
      }
    });
    return items;
  }

  /// Senders use no names that need an escape.
  private static List<String> names(String json) {
    Matcher name = PIPELINE.matcher(json);
    List<String> names = new ArrayList<>();
    while (name.find()) {
      names.add(name.group(1));
    }
    return names;
  }
}
