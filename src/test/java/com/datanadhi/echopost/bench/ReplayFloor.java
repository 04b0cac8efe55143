package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.Payloads;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// The floors of replay, as a program: a loop that sends the agent's requests one at a time, with
/// java.net.http or on a keep-alive socket.
final class ReplayFloor {
  static final String HTTP_CLIENT = "http-client";
  static final String SOCKET = "socket";

  private static final int OK = 200;

  private ReplayFloor() {}

  /// `PlainSender http-client|socket PORT RECORDS`
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int port = Integer.parseInt(arguments[1]);
    int records = Integer.parseInt(arguments[2]);
    if (arguments[0].equals(HTTP_CLIENT)) {
      sendByHttpClient(port, records);
    } else {
      sendBySocket(port, records);
    }
  }

  private static String body(long id) {
    return "{\"pipelines\":[\"p1\"],\"log_data\":"
        + Payloads.payload(0, id, RunSize.RECORD_BYTES)
        + "}";
  }

  private static String key(long id) {
    return "\"00000000-0000-0000-0000-000000000000-" + id + "\"";
  }

  private static void sendByHttpClient(int port, int records)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + port + "/log");
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      for (int id = 1; id <= records; id++) {
        HttpRequest request =
            HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .header("DATANADHI-API-KEY", "key-0")
                .header("Idempotency-Key", key(id))
                .POST(HttpRequest.BodyPublishers.ofString(body(id)))
                .build();
        check(client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode());
      }
    }
  }

  private static void sendBySocket(int port, int records) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream()) {
      socket.setTcpNoDelay(true);
      for (int id = 1; id <= records; id++) {
        String body = body(id);
        String request =
            "POST /log HTTP/1.1\r\nHost: 127.0.0.1:"
                + port
                + "\r\n"
                + "Content-Type: application/json\r\n"
                + "DATANADHI-API-KEY: key-0\r\n"
                + "Idempotency-Key: "
                + key(id)
                + "\r\nContent-Length: "
                + body.length()
                + "\r\n\r\n"
                + body;
        out.write(request.getBytes(StandardCharsets.ISO_8859_1));
        check(readStatus(in));
      }
    }
  }

  private static int readStatus(InputStream in) throws IOException {
    int status = Integer.parseInt(readLine(in).split(" ", 3)[1]);
    int length = 0;
    for (String header = readLine(in); !header.isEmpty(); header = readLine(in)) {
      if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(header.substring(header.indexOf(':') + 1).strip());
      }
    }
    in.skipNBytes(length);
    return status;
  }

  private static String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder(64);
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("the server closed the connection");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  private static void check(int status) throws IOException {
    if (status != OK) {
      throw new IOException("the server answered " + status);
    }
  }
}
