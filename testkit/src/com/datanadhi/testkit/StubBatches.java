package com.datanadhi.testkit;

import com.datanadhi.testkit.StubServer.Behaviour;
import com.datanadhi.testkit.StubServer.Request;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;

/// Batches at the stub main server: the offer in its responses, the records of a batch, and sound
/// and faulty answers.
public final class StubBatches {
  /// How the server responds to a batch.
  public interface BatchBehaviour {
    /// Writes a response to `out`, or none.
    ///
    /// @param records the records of the batch in the order of the lines: each with the headers of
    ///   the request, its own key, and the body that it would have alone
    /// @return whether the connection stays open
    boolean respond(List<Request> records, OutputStream out) throws IOException;

    /// Responds as `behaviour`, whatever the records are.
    static BatchBehaviour of(Behaviour behaviour) {
      return (records, out) -> behaviour.respond(records.get(0), out);
    }
  }

  /// Every record is stored.
  public static final BatchBehaviour STORED =
      (records, out) -> answer(records.size(), Map.of()).respond(records.get(0), out);

  static final String NDJSON = "application/x-ndjson";

  private static final byte[] LINE_START = "{\"key\":\"".getBytes(StandardCharsets.US_ASCII);

  private StubBatches() {}

  /// The records that match are rejected with `status`, the others are stored.
  public static BatchBehaviour rejecting(int status, Predicate<Request> which) {
    return (records, out) -> {
      Map<Integer, Integer> errors = new TreeMap<>();
      for (int i = 0; i < records.size(); i++) {
        if (which.test(records.get(i))) {
          errors.put(i + 1, status);
        }
      }
      return answer(records.size() - errors.size(), errors).respond(records.get(0), out);
    };
  }

  /// 413 for a batch of more than `most` records, else as `then`.
  public static BatchBehaviour atMost(int most, BatchBehaviour then) {
    return (records, out) ->
        records.size() > most
            ? Behaviour.status(413, "at most " + most).respond(records.get(0), out)
            : then.respond(records, out);
  }

  /// A faulty answer: it ends before its end, in the header's length.
  public static BatchBehaviour cut() {
    return BatchBehaviour.of(
        Behaviour.raw("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"stored\":"));
  }

  /// A faulty answer: one record more than there are lines is said to be stored.
  public static BatchBehaviour wrongCount() {
    return (records, out) -> answer(records.size() + 1, Map.of()).respond(records.get(0), out);
  }

  /// A faulty answer: the first line is in the errors, and is counted as stored too.
  public static BatchBehaviour errorForStoredLine() {
    return (records, out) -> answer(records.size(), Map.of(1, 422)).respond(records.get(0), out);
  }

  /// A faulty answer: the first line has the status, which is not final.
  public static BatchBehaviour notFinal(int status) {
    return (records, out) ->
        answer(records.size() - 1, Map.of(1, status)).respond(records.get(0), out);
  }

  /// All faulty answers.
  public static List<BatchBehaviour> faulty() {
    return List.of(
        cut(),
        wrongCount(),
        errorForStoredLine(),
        notFinal(503),
        notFinal(401),
        BatchBehaviour.of(Behaviour.status(200, "")),
        BatchBehaviour.of(Behaviour.status(200, "ok")),
        BatchBehaviour.of(Behaviour.status(200, "{\"stored\":1")),
        (records, out) ->
            answer(records.size() - 1, Map.of(records.size() + 1, 422))
                .respond(records.get(0), out));
  }

  /// 200 with these numbers.
  ///
  /// @param errors the status of each line, by its number from 1
  public static Behaviour answer(int stored, Map<Integer, Integer> errors) {
    StringJoiner list = new StringJoiner(",", "[", "]");
    errors.forEach((line, status) ->
        list.add(
            "{\"line\":%d,\"status\":%d,\"title\":\"Stub\",\"detail\":\"line %d\"}"
                .formatted(line, status, line)));
    return Behaviour.status(
        200,
        "{\"stored\":" + stored + ",\"errors\":" + list + "}",
        "Content-Type: application/json");
  }

  /// Whether the request has a record a line.
  static boolean isBatch(Request request) {
    return request
        .headers()
        .getOrDefault("content-type", "")
        .toLowerCase(Locale.ROOT)
        .startsWith(NDJSON);
  }

  /// The records of a batch.
  ///
  /// @throws IOException when it is not as senders have agreed: the envelope's members are `key`,
  ///   `pipelines` and `log_data`, in this order and without spaces
  static List<Request> records(Request batch) throws IOException {
    byte[] body = batch.body();
    List<Request> records = new ArrayList<>();
    int start = 0;
    while (start < body.length) {
      int end = start;
      while (end < body.length && body[end] != '\n') {
        end++;
      }
      records.add(record(batch, body, start, end));
      start = end + 1;
    }
    return records;
  }

  private static Request record(Request batch, byte[] body, int start, int end) throws IOException {
    int key = start + LINE_START.length;
    if (key > end || !Arrays.equals(body, start, key, LINE_START, 0, LINE_START.length)) {
      throw new IOException("a line does not start with its key");
    }
    int keyEnd = key;
    while (keyEnd < end && body[keyEnd] != '"') {
      keyEnd += body[keyEnd] == '\\' ? 2 : 1;
    }
    int rest = keyEnd + 2;
    if (rest >= end || body[rest - 1] != ',') {
      throw new IOException("a line ends after its key");
    }
    byte[] alone = new byte[end - rest + 1];
    alone[0] = '{';
    System.arraycopy(body, rest, alone, 1, end - rest);
    String name = new String(body, key, keyEnd - key, StandardCharsets.UTF_8);
    return new Request(batch.method(), batch.path(), batch.headers(), name, alone);
  }

  /// The body without its content coding.
  static byte[] decoded(Map<String, String> headers, byte[] body) throws IOException {
    if (!"gzip".equals(headers.get("content-encoding"))) {
      return body;
    }
    try (GZIPInputStream plain = new GZIPInputStream(new ByteArrayInputStream(body), 1 << 16)) {
      return plain.readAllBytes();
    }
  }

  /// Writes a response, and adds the offer to it if its status is 2xx.
  static final class OfferingOutput extends OutputStream {
    private final OutputStream out;
    private final byte[] offer;
    private final StringBuilder start = new StringBuilder();
    private boolean started;

    /// @param gzip whether the offer includes packed bodies
    OfferingOutput(OutputStream out, boolean gzip) {
      this.out = out;
      String lines = "Accept-Post: application/json, " + NDJSON + "\r\n";
      this.offer =
          (gzip ? lines + "Accept-Encoding: gzip\r\n" : lines).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      int next = from;
      while (!started && next < from + length) {
        char c = (char) (bytes[next++] & 0xFF);
        start.append(c);
        started = c == '\n';
      }
      if (!started) {
        out.write(bytes, from, length);
        return;
      }
      if (start.isEmpty()) {
        out.write(bytes, next, from + length - next);
        return;
      }
      boolean offers = start.toString().startsWith("HTTP/1.1 2");
      start.setLength(0);
      byte[] whole = new byte[length + (offers ? offer.length : 0)];
      System.arraycopy(bytes, from, whole, 0, next - from);
      System.arraycopy(offer, 0, whole, next - from, whole.length - length);
      System.arraycopy(
          bytes, next, whole, next - from + whole.length - length, from + length - next);
      // One write, as without the offer: a packet for each part would change the times.
      out.write(whole);
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }
  }
}
