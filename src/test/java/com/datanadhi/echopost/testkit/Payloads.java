package com.datanadhi.echopost.testkit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/// Records that say who sent them and as which one, so that whoever gets them can check their
/// order.
public final class Payloads {
  private static final Pattern LABEL = Pattern.compile("\"client\":(\\d+),\"seq\":(\\d+)");

  private Payloads() {}

  /// Record `seq` of `client`, about `size` bytes long.
  public static String payload(int client, long seq, int size) {
    String start = "{\"client\":" + client + ",\"seq\":" + seq + ",\"msg\":\"";
    return start + "x".repeat(Math.max(0, size - start.length() - 2)) + "\"}";
  }

  /// What a list of bodies says about order.
  ///
  /// @param distinct different records
  /// @param repeats records that came again
  /// @param inversions records that came, for the first time, after a later one of the same client
  /// @param seqsOf the numbers of each client in the order in which they first came
  public record Order(
      long distinct, long repeats, long inversions, Map<Integer, List<Long>> seqsOf) {
    /// Whether exactly the records 0 to `count` - 1 of `client` came, in order.
    public boolean isWhole(int client, long count) {
      return whole(count).equals(seqsOf.get(client));
    }
  }

  /// The numbers that a client's records have in order: 0 to `count` - 1.
  public static List<Long> whole(long count) {
    return LongStream.range(0, count).boxed().toList();
  }

  /// Who sent a record, and as which one.
  public record Label(int client, long seq) {}

  /// What a body says of itself.
  ///
  /// @throws IllegalArgumentException when it is not one of ours
  public static Label label(String body) {
    Matcher label = LABEL.matcher(body);
    if (!label.find()) {
      throw new IllegalArgumentException("not one of ours: " + body);
    }
    return new Label(Integer.parseInt(label.group(1)), Long.parseLong(label.group(2)));
  }

  /// Checks bodies in the order in which they came.
  public static Order check(Iterable<String> bodies) {
    Map<Integer, List<Long>> seqsOf = new HashMap<>();
    Map<Integer, java.util.Set<Long>> seen = new HashMap<>();
    long repeats = 0;
    long inversions = 0;
    long distinct = 0;
    for (String body : bodies) {
      Label label = label(body);
      int client = label.client();
      long seq = label.seq();
      List<Long> seqs = seqsOf.computeIfAbsent(client, c -> new ArrayList<>());
      if (!seen.computeIfAbsent(client, c -> new java.util.HashSet<>()).add(seq)) {
        repeats++;
        continue;
      }
      distinct++;
      if (!seqs.isEmpty() && seqs.getLast() > seq) {
        inversions++;
      }
      seqs.add(seq);
    }
    return new Order(distinct, repeats, inversions, seqsOf);
  }
}
