package com.datanadhi.hub.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.query.Tenants;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrivalTest {
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int ACK = 1;
  private static final int WINDOW_UPDATE = 8;
  private static final int DATA = 0;
  private static final int END_HEADERS = 4;
  private static final int PART = 16_000;

  @TempDir Path directory;
  private Tenants tenants;
  private Door door;

  @BeforeEach
  void open() throws Exception {
    tenants = new Tenants(directory);
    door = new Door(tenants.queries(), 1 << 20, null);
  }

  @AfterEach
  void close() throws Exception {
    door.close();
    tenants.close();
  }

  /// A client that sends HTTP/2 frames by hand.
  private final class Frames implements AutoCloseable {
    private final Socket socket =
        new Socket(door.server.address().getAddress(), door.server.address().getPort());

    Frames() throws IOException {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
      frame(SETTINGS, 0, 0, new byte[0]);
      // The server's settings enlarge the window of a stream, and its first update the
      // connection's.
      DataInputStream in = new DataInputStream(socket.getInputStream());
      for (int type = -1; type != WINDOW_UPDATE; ) {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        type = in.readUnsignedByte();
        in.skipNBytes(5 + length);
      }
      frame(SETTINGS, ACK, 0, new byte[0]);
    }

    void frame(int type, int flags, int stream, byte[] payload) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeByte(payload.length >> 16);
      out.writeShort(payload.length);
      out.writeByte(type);
      out.writeByte(flags);
      out.writeInt(stream);
      out.write(payload);
      socket.getOutputStream().write(bytes.toByteArray());
    }

    /// The head of a call, and the begin of a request of 1 MiB.
    void begin(int stream, String method, int bytes) throws IOException {
      request(stream, method, 1 << 20, bytes);
    }

    /// The head of a call, and the first bytes of a request.
    private void request(int stream, String method, int length, int bytes) throws IOException {
      ByteArrayOutputStream head = new ByteArrayOutputStream();
      for (List<String> field :
          List.of(
              List.of(":method", "POST"),
              List.of(":scheme", "http"),
              List.of(":path", "/hub.v1.Hub/" + method),
              List.of(":authority", "hub"),
              List.of("te", "trailers"),
              List.of("content-type", "application/grpc"),
              List.of("datanadhi-api-key", Door.KEY))) {
        head.write(0); // A literal field that is not indexed, by RFC 7541, section 6.2.2.
        for (String text : field) {
          head.write(text.length());
          head.write(text.getBytes(US_ASCII));
        }
      }
      frame(HEADERS, END_HEADERS, stream, head.toByteArray());
      byte[] data = new byte[5 + bytes];
      java.nio.ByteBuffer.wrap(data).putInt(1, length);
      for (int at = 0; at < data.length; at += PART) {
        frame(
            DATA,
            0,
            stream,
            java.util.Arrays.copyOfRange(data, at, Math.min(data.length, at + PART)));
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void a_request_that_is_not_complete_counts_against_the_buffer() throws Exception {
    try (Frames client = new Frames()) {
      client.begin(1, "Append", 500_000);
      await().until(() -> door.admission.heldBytes() >= 490_000);
    }
    await().until(() -> door.admission.heldBytes() == 0);
  }

  @Test
  void a_request_without_the_end_of_its_call_counts_and_ends_after_a_while() throws Exception {
    try (Frames client = new Frames()) {
      client.request(1, "Append", 300_000, 300_000);
      await().until(() -> door.admission.heldBytes() >= 290_000);
      await().atMost(Duration.ofSeconds(25)).until(() -> door.admission.heldBytes() == 0);
    }
  }

  @Test
  void requests_beyond_the_buffer_end_and_good_clients_are_served() throws Exception {
    try (Frames client = new Frames()) {
      for (int stream = 1; stream < 40; stream += 4) {
        client.begin(stream, "Append", 80_000);
        client.begin(stream + 2, "AppendStream", 10);
      }
      await().until(() -> door.admission.heldBytes() > 400_000);
      assertThat(door.blocking().append(Door.request("k", "1")).getKey()).isEqualTo("k");
    }
    await().until(() -> door.admission.heldBytes() == 0);
  }

  @Test
  void a_request_without_progress_ends_and_gives_its_bytes_back() throws Exception {
    try (Frames client = new Frames()) {
      client.begin(1, "Append", 200_000);
      client.begin(3, "AppendStream", 200_000);
      await().until(() -> door.admission.heldBytes() >= 390_000);
      await().atMost(Duration.ofSeconds(25)).until(() -> door.admission.heldBytes() == 0);
      assertThat(client.socket.isClosed()).isFalse();
    }
  }
}
