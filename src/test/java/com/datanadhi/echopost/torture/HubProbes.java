package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.datanadhi.echopost.testkit.RawConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;

/// Single requests that no well-behaved client makes, with the statuses that may answer them.
final class HubProbes {
  private static final int TIMEOUT_MILLIS = 20_000;

  /// The key of each request that is hidden behind another one: it must never be stored.
  static final String SMUGGLED = "smuggled";

  private static final String RECORD = "{\"pipelines\":[],\"log_data\":1}";
  private static final int DEPTH = 1_000;

  private HubProbes() {}

  /// @param bytes of the request
  /// @param statuses one of them must come first
  @SuppressWarnings("ArrayRecordComponent")
  record Probe(String name, byte[] bytes, List<Integer> statuses) {}

  /// A request whose end different servers see in different places, and behind the one end a
  /// request of its own.
  static String smuggling(HubHostileClient.Target target) {
    List<String> framings =
        List.of(
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            "Content-Length: 4\r\nContent-Length: 5\r\n",
            "Content-Length: 4, 5\r\n",
            "Content-Length: +4\r\n",
            "Content-Length: 0x4\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length : 4\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding:\u000bchunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "X: y\r\n Content-Length: 4\r\nContent-Length: 5\r\n",
            "Content-Length: 4\rTransfer-Encoding: chunked\r\n");
    return request(target, framings.get(target.random().nextInt(framings.size())));
  }

  private static String request(HubHostileClient.Target target, String framing) {
    return target.head("/log", "application/json")
        + framing
        + "\r\n0\r\n\r\n"
        + target.head("/log", "application/json")
        + "Idempotency-Key: "
        + SMUGGLED
        + "\r\nContent-Length: "
        + RECORD.length()
        + "\r\n\r\n"
        + RECORD;
  }

  /// All probes.
  static List<Probe> all(HubHostileClient.Target target) {
    String nested = "[".repeat(DEPTH) + "]".repeat(DEPTH);
    return List.of(
        probe(
            "CL and TE",
            request(target, "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
            400),
        probe("double CL", request(target, "Content-Length: 4\r\nContent-Length: 5\r\n"), 400),
        probe("a list of CL", request(target, "Content-Length: 4, 5\r\n"), 400),
        probe("negative CL", request(target, "Content-Length: -1\r\n"), 400),
        probe("huge CL", request(target, "Content-Length: 99999999999999999999\r\n"), 400, 413),
        probe("space before the colon", request(target, "Content-Length : 4\r\n"), 400),
        probe("unknown TE", request(target, "Transfer-Encoding: xchunked\r\n"), 400, 501),
        probe("folded header", request(target, "X: y\r\n Content-Length: 4\r\n"), 400),
        probe("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        probe("no host", "GET / HTTP/1.1\r\n\r\n", 400),
        probe("NUL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        probe("another version", "GET / HTTP/7.3\r\nHost: a\r\n\r\n", 400, 505),
        probe(
            "huge head", "GET / HTTP/1.1\r\nHost: a\r\nX: " + "x".repeat(70_000) + "\r\n\r\n", 431),
        probe("huge path", "GET /" + "x".repeat(70_000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, 431),
        probe("traversal", "GET /../../../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400, 404),
        probe(
            "packed traversal",
            target.head("/v1/receipts/..%2f..%2f_control%00", null) + "\r\n",
            400,
            404),
        probe("consumer that climbs", cursor(target, "%2e%2e", "..%2f..%2f_control"), 400, 404),
        probe("bad chunk size", chunked(target, "FFFFFFFFFFFFFFFFF\r\n"), 400, 413),
        probe("signed chunk size", chunked(target, "-5\r\nhello\r\n"), 400),
        probe("deep enough", record(target, nested), 200),
        probe("too deep", record(target, "[" + nested + "]"), 400),
        probe("key that climbs", keyed(target, "../../_control/x"), 200),
        probe("key with a space", keyed(target, "\"a b\""), 400),
        probe("key of 256", keyed(target, "k".repeat(256)), 400),
        packed("bomb", target, "/log", "application/json", 413),
        packed("bomb of lines", target, "/log", "application/x-ndjson", 413),
        packed("bomb to /upload", target, "/upload", "application/octet-stream", 413, 422));
  }

  private static Probe probe(String name, String request, Integer... statuses) {
    return new Probe(name, request.getBytes(ISO_8859_1), List.of(statuses));
  }

  private static String record(HubHostileClient.Target target, String json) {
    String body = "{\"pipelines\":[],\"log_data\":" + json + "}";
    return target.head("/log", "application/json")
        + "Content-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  private static String keyed(HubHostileClient.Target target, String key) {
    return target.head("/log", "application/json")
        + "Idempotency-Key: "
        + key
        + "\r\nContent-Length: "
        + RECORD.length()
        + "\r\n\r\n"
        + RECORD;
  }

  private static String cursor(HubHostileClient.Target target, String pipeline, String consumer) {
    String body = "{\"through\":1}";
    return target.head("/v1/pipelines/" + pipeline + "/cursors/" + consumer, "application/json")
        + "Content-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  private static String chunked(HubHostileClient.Target target, String chunks) {
    return target.head("/log", "application/json") + "Transfer-Encoding: chunked\r\n\r\n" + chunks;
  }

  /// A body of 32 KiB that unpacks to 32 MiB.
  private static Probe packed(
      String name, HubHostileClient.Target target, String path, String type, Integer... statuses) {
    byte[] body =
        RawConnection.gzip(
            ("{\"pipelines\":[],\"log_data\":\"" + "x".repeat(32 << 20) + "\"}")
                .getBytes(ISO_8859_1));
    String head =
        target.head(path, type)
            + "Content-Encoding: gzip\r\nContent-Length: "
            + body.length
            + "\r\n\r\n";
    return new Probe(name, RawConnection.join(head.getBytes(ISO_8859_1), body), List.of(statuses));
  }

  /// Sends a probe on a connection of its own.
  ///
  /// @return the status of the first answer; 0 if the connection was closed without one, -1 if
  ///   nothing came in time
  static int status(int port, Probe probe) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      try {
        socket.getOutputStream().write(probe.bytes());
      } catch (IOException closedEarly) {
        // The answer to an early refusal can still be read.
      }
      InputStream in = socket.getInputStream();
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
        line.write(b);
      }
      String[] words = line.toString(ISO_8859_1).split(" ", -1);
      return words.length > 1 ? Integer.parseInt(words[1].strip()) : 0;
    } catch (SocketTimeoutException nothing) {
      return -1;
    } catch (IOException reset) {
      return 0;
    }
  }
}
