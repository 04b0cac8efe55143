package com.datanadhi.echopost.testkit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/// Payloads with a label: the client that sends the record, and the record's sequence number. A
/// receiver can check the order of the records by their labels.
public final class Payloads {
  private static final Pattern LABEL = Pattern.compile("\"client\":(\\d+),\"seq\":(\\d+)");

  private Payloads() {}

  /// The payload of record `seq` of `client`: `size` bytes, or more if the label needs more.
  public static String payload(int client, long seq, int size) {
    String start = "{\"client\":" + client + ",\"seq\":" + seq + ",\"msg\":\"";
    return start + "x".repeat(Math.max(0, size - start.length() - 2)) + "\"}";
  }

  /// The order in which records arrived.
  ///
  /// @param distinct the number of different records
  /// @param repeats the number of repeated arrivals
  /// @param inversions the number of records whose first arrival was after that of a later record
  ///   of the same client
  /// @param seqsByClient the sequence numbers of each client in the order of their first arrival
  public record Order(
      long distinct, long repeats, long inversions, Map<Integer, List<Long>> seqsByClient) {
    /// Whether exactly the records 0 to `count` - 1 of `client` arrived, in order.
    public boolean isComplete(int client, long count) {
      return sequence(count).equals(seqsByClient.get(client));
    }
  }

  /// The sequence numbers 0 to `count` - 1.
  public static List<Long> sequence(long count) {
    return LongStream.range(0, count).boxed().toList();
  }

  /// The client that sent a record, and the record's sequence number.
  public record Label(int client, long seq) {}

  /// The label in a body.
  ///
  /// @throws IllegalArgumentException if the body has no label
  public static Label label(String body) {
    Matcher label = LABEL.matcher(body);
    if (!label.find()) {
      throw new IllegalArgumentException("no label: " + body);
    }
    return new Label(Integer.parseInt(label.group(1)), Long.parseLong(label.group(2)));
  }

  /// Checks bodies, which are in the order of their arrival.
  public static Order check(Iterable<String> bodies) {
    Map<Integer, List<Long>> seqsByClient = new HashMap<>();
    Map<Integer, java.util.Set<Long>> seen = new HashMap<>();
    long repeats = 0;
    long inversions = 0;
    long distinct = 0;
    for (String body : bodies) {
      Label label = label(body);
      int client = label.client();
      long seq = label.seq();
      List<Long> seqs = seqsByClient.computeIfAbsent(client, c -> new ArrayList<>());
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
    return new Order(distinct, repeats, inversions, seqsByClient);
  }
}
