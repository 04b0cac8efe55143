package com.datanadhi.sdk;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * An application whose payloads are endless or far larger than a record can be. Its arguments are
 * the directory and the URL of the main server. It prints {@code true} after each record that was
 * submitted and delivered.
 */
public final class SmallHeapApplication {
  private SmallHeapApplication() {}

  public static void main(String[] args) throws Exception {
    DataNadhi client =
        DataNadhi.open(
            DataNadhiConfiguration.builder(Path.of(args[0]))
                .apiKey("test-key")
                .serverHost(args[1])
                .echoPostDisabled(true)
                .build());
    List<Object> payloads = List.of(graph(), doublings(), endless(), "x".repeat(60 << 20));
    for (int i = 0; i < payloads.size(); i++) {
      SubmitResult result = client.submit(List.of("test"), Map.of("value", payloads.get(i)));
      System.out.println(result.isAccepted() && client.flush(Duration.ofSeconds(60)));
    }
    client.close();
  }

  /** Twenty objects, each of which refers to all of them. */
  private static Object graph() {
    List<Map<String, Object>> nodes = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      nodes.add(new HashMap<>());
    }
    for (Map<String, Object> node : nodes) {
      for (int i = 0; i < nodes.size(); i++) {
        node.put("neighbour " + i, nodes.get(i));
      }
    }
    return nodes.get(0);
  }

  /** A list without a cycle, but with 2^60 items of items. */
  private static Object doublings() {
    List<?> list = List.of("x");
    for (int i = 0; i < 60; i++) {
      list = List.of(list, list);
    }
    return list;
  }

  private static Iterable<Integer> endless() {
    return () -> Stream.iterate(0, n -> n + 1).iterator();
  }
}
