package com.datanadhi.echopost.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// Requests to the hub with records of 400 bytes and keys of a source: `POST /log` with one record,
/// or with lines. A request is made once; only the numbers in its keys change.
final class HubRequests implements LoadLoop.Conversation {
  /// The size of `log_data`, in bytes.
  static final int RECORD_BYTES = 400;

  // Ten digits, so that all numbers have the same length.
  private static final long FIRST = 1_000_000_000;
  private static final long AGAIN_NANOS = 20_000_000;

  /// So many on 64 connections that gzip, which looks 32 KiB back, does not see them again.
  private static final int RECORDS_IN_TURN = 16;

  private static final String LOG_DATA = logData();

  private final byte[] bytes;
  private final List<Integer> numbers = new ArrayList<>();
  private final String expected;
  private long next = FIRST;

  private static String logData() {
    String start = "{\"level\":\"INFO\",\"service\":\"orders\",\"message\":\"";
    return start + "x".repeat(RECORD_BYTES - start.length() - 2) + "\"}";
  }

  private HubRequests(String head, String body, String mark, String expected) {
    String request = head + body;
    for (int at = request.indexOf(mark); at >= 0; at = request.indexOf(mark, at + 1)) {
      numbers.add(at);
    }
    this.bytes = request.getBytes(ISO_8859_1);
    this.expected = expected;
  }

  /// Requests of one record.
  static HubRequests single(String apiKey) {
    return single(apiKey, LOG_DATA);
  }

  private static HubRequests single(String apiKey, String logData) {
    String body = "{\"pipelines\":[\"p1\"],\"log_data\":" + logData + "}";
    return new HubRequests(
        head(apiKey, "application/json", body.length())
            + "Idempotency-Key: "
            + UUID.randomUUID()
            + "-"
            + FIRST
            + "\r\n\r\n",
        body,
        Long.toString(FIRST),
        "\"status\":\"stored\"");
  }

  /// Requests of `lines` records each.
  static HubRequests lines(String apiKey, int lines) {
    return lines(apiKey, Collections.nCopies(lines, LOG_DATA));
  }

  private static HubRequests lines(String apiKey, List<String> logData) {
    String start =
        "{\"key\":\"" + UUID.randomUUID() + "-" + FIRST + "\",\"pipelines\":[\"p1\"],\"log_data\":";
    String body = start + String.join("}\n" + start, logData) + "}\n";
    int lines = logData.size();
    return new HubRequests(
        head(apiKey, "application/x-ndjson", body.length()) + "\r\n",
        body,
        Long.toString(FIRST),
        "\"stored\":" + lines + ",");
  }

  /// For so many connections; see [#single].
  static List<HubRequests> singles(String apiKey, int connections) {
    return Stream.generate(() -> single(apiKey)).limit(connections).toList();
  }

  /// For so many connections; see [#lines].
  static List<HubRequests> lines(String apiKey, int lines, int connections) {
    return Stream.generate(() -> lines(apiKey, lines)).limit(connections).toList();
  }

  /// As [#lines], but all records of a request are different, as those of a service are: gzip makes
  /// a quarter of them, not next to nothing.
  static List<HubRequests> differentLines(String apiKey, int lines, int connections) {
    SampleRecords records = new SampleRecords(RECORD_BYTES);
    return Stream.generate(() -> lines(apiKey, records.next(lines))).limit(connections).toList();
  }

  /// As [#singles], but the records are different, as those of a service are.
  static List<LoadLoop.Conversation> differentSingles(String apiKey, int connections) {
    SampleRecords records = new SampleRecords(RECORD_BYTES);
    return Stream.<LoadLoop.Conversation>generate(() ->
            new InTurn(
                records.next(RECORDS_IN_TURN).stream()
                    .map(logData -> single(apiKey, logData))
                    .toList()))
        .limit(connections)
        .toList();
  }

  /// Sends the requests of several conversations in turn.
  private static final class InTurn implements LoadLoop.Conversation {
    private final List<HubRequests> requests;
    private int sent;

    InTurn(List<HubRequests> requests) {
      this.requests = requests;
    }

    @Override
    public ByteBuffer next() {
      return requests.get(sent++ % requests.size()).next();
    }

    @Override
    public LoadLoop.Answer answer(ByteBuffer received) throws IOException {
      return requests.getFirst().answer(received);
    }
  }

  private static String head(String apiKey, String type, int length) {
    return "POST /log HTTP/1.1\r\nHost: hub\r\nDATANADHI-API-KEY: "
        + apiKey
        + "\r\nContent-Type: "
        + type
        + "\r\nContent-Length: "
        + length
        + "\r\n";
  }

  @Override
  public ByteBuffer next() {
    for (int at : numbers) {
      long rest = next++;
      for (int digit = 9; digit >= 0; digit--) {
        bytes[at + digit] = (byte) ('0' + rest % 10);
        rest /= 10;
      }
    }
    return ByteBuffer.wrap(bytes);
  }

  @Override
  public LoadLoop.Answer answer(ByteBuffer received) throws IOException {
    String text = ISO_8859_1.decode(received.duplicate()).toString();
    int head = text.indexOf("\r\n\r\n");
    if (head < 0) {
      return LoadLoop.Answer.INCOMPLETE;
    }
    int end = head + 4 + contentLength(text.substring(0, head + 2));
    if (text.length() < end) {
      return LoadLoop.Answer.INCOMPLETE;
    }
    received.position(received.position() + end);
    if (text.startsWith("HTTP/1.1 503")) {
      LockSupport.parkNanos(AGAIN_NANOS);
      return LoadLoop.Answer.AGAIN;
    }
    if (!text.startsWith("HTTP/1.1 200") || text.indexOf(expected, head) < 0) {
      throw new IOException("the hub answered:\n" + text.substring(0, end));
    }
    return LoadLoop.Answer.DONE;
  }

  private static int contentLength(String head) throws IOException {
    String name = "\r\nContent-Length: ";
    int at = head.indexOf(name);
    if (at < 0) {
      throw new IOException("the hub answered without a length:\n" + head);
    }
    return Integer.parseInt(head.substring(at + name.length(), head.indexOf('\r', at + 2)));
  }
}
