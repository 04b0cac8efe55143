package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.datanadhi.echopost.testkit.RawConnection;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// The kinds of clients of a hub that violate HTTP or gRPC, or waste connections, memory or time.
enum HubHostileClient {
  /// Connects, and sends nothing.
  IDLE(Door.HTTP, (connection, target) -> true),
  /// Connects, and disconnects at once.
  DISCONNECT(Door.HTTP, (connection, target) -> false),
  /// Sends random bytes.
  NOT_HTTP(
      Door.HTTP,
      (connection, target) -> {
        boolean _ = connection.send(RawConnection.random(target.random(), 4_000));
        return target.random().nextBoolean();
      }),
  /// Sends a part of a head.
  SLOW_HEAD(
      Door.HTTP,
      (connection, target) -> {
        boolean _ = connection.send(text("POST /log HTTP/1.1\r\nHost: h\r\nX-A: "));
        return true;
      }),
  /// Sends a part of a body that is announced as large.
  SLOW_BODY(
      Door.HTTP,
      (connection, target) -> {
        boolean _ =
            connection.send(
                text(target.head("/log", "application/json") + "Content-Length: 9000000\r\n\r\n{"));
        return true;
      }),
  /// Sends a head that does not end.
  HUGE_HEAD(
      Door.HTTP,
      (connection, target) -> {
        boolean open = connection.send(text("GET / HTTP/1.1\r\nHost: h\r\n"));
        byte[] line = text("X-Long: " + "x".repeat(8_000) + "\r\n");
        for (int i = 0; i < 20 && open; i++) {
          open = connection.send(line);
        }
        return target.random().nextBoolean();
      }),
  /// Sends a request that cannot be framed for sure, with another one hidden behind it.
  SMUGGLING(
      Door.HTTP,
      (connection, target) -> {
        boolean _ = connection.send(text(HubProbes.smuggling(target)));
        return target.random().nextBoolean();
      }),
  /// Sends many requests, and reads no answer.
  DEAF(
      Door.HTTP,
      (connection, target) -> {
        byte[] requests = text("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n".repeat(50));
        boolean open = true;
        for (int i = 0; i < 10 && open; i++) {
          open = connection.send(requests);
        }
        return true;
      }),
  /// Asks for records for ever, and reads none.
  DEAF_READER(
      Door.HTTP,
      (connection, target) -> {
        boolean _ = connection.send(text(target.head("/v1/records?follow=true", null) + "\r\n"));
        return true;
      }),
  /// Sends a small body that unpacks to 64 MiB.
  BOMB(
      Door.HTTP,
      (connection, target) -> {
        byte[] head =
            text(
                target.head(
                        target.random().nextBoolean() ? "/log" : "/v1/transactions",
                        "application/json")
                    + "Content-Encoding: gzip\r\nContent-Length: "
                    + Bombs.GZIP.length
                    + "\r\n\r\n");
        boolean _ = connection.send(RawConnection.join(head, Bombs.GZIP));
        return true;
      }),
  /// Sends arrays within arrays, deeper than any record may be.
  DEEP_JSON(
      Door.HTTP,
      (connection, target) -> {
        String body = "{\"pipelines\":[],\"log_data\":" + "[".repeat(100_000);
        boolean _ =
            connection.send(
                text(
                    target.head("/log", "application/json")
                        + "Content-Length: "
                        + body.length()
                        + "\r\n\r\n"
                        + body));
        return true;
      }),
  /// Connects to the gRPC server, and sends nothing.
  GRPC_IDLE(Door.GRPC, (connection, target) -> true),
  /// Sends bytes that are not HTTP/2.
  NOT_HTTP2(
      Door.GRPC,
      (connection, target) -> {
        boolean _ = connection.send(RawConnection.random(target.random(), 4_000));
        return target.random().nextBoolean();
      }),
  /// Sends frames of random type, flags, stream and content.
  RANDOM_FRAMES(
      Door.GRPC,
      (connection, target) -> {
        boolean open = connection.send(RawConnection.preface());
        for (int i = 0; i < 20 && open; i++) {
          open =
              connection.send(
                  RawConnection.frame(
                      target.random().nextInt(12),
                      target.random().nextInt(256),
                      target.random().nextInt(8),
                      RawConnection.random(target.random(), 60)));
        }
        return target.random().nextBoolean();
      }),
  /// Starts a call, and never sends its message.
  HALF_OPEN_CALL(
      Door.GRPC,
      (connection, target) -> {
        boolean _ =
            connection.send(
                RawConnection.join(
                    RawConnection.preface(), RawConnection.frame(1, 4, 1, target.appendHeaders())));
        return true;
      }),
  /// Sends headers without end (CVE-2024-27316 and related ones).
  ENDLESS_HEADERS(
      Door.GRPC,
      (connection, target) -> {
        boolean open =
            connection.send(
                RawConnection.join(
                    RawConnection.preface(), RawConnection.frame(1, 0, 1, target.appendHeaders())));
        byte[] more = RawConnection.frame(9, 0, 1, new byte[] {0x40, 1, 'a', 1, 'b'});
        for (int i = 0; i < 2_000 && open; i++) {
          open = connection.send(more);
        }
        return target.random().nextBoolean();
      }),
  /// Starts calls and resets each at once (CVE-2023-44487).
  RAPID_RESET(
      Door.GRPC,
      (connection, target) -> {
        boolean open = connection.send(RawConnection.preface());
        for (int stream = 1; stream < 2_000 && open; stream += 2) {
          open =
              connection.send(
                  RawConnection.join(
                      RawConnection.frame(1, 4, stream, target.appendHeaders()),
                      RawConnection.frame(3, 0, stream, new byte[] {0, 0, 0, 8})));
        }
        return false;
      }),
  /// Sends a small message that decompresses to a large one.
  GRPC_BOMB(
      Door.GRPC,
      (connection, target) -> {
        boolean _ = connection.send(RawConnection.bomb(target.appendHeaders()));
        return true;
      });

  /// Which server.
  enum Door {
    HTTP,
    GRPC
  }

  /// Whom the clients attack.
  ///
  /// @param apiKey valid, of a tenant of its own
  record Target(int httpPort, int grpcPort, String apiKey, Random random) {
    int port(Door door) {
      return door == Door.HTTP ? httpPort : grpcPort;
    }

    /// The head of a request with a valid key, without its last line.
    String head(String path, @Nullable String type) {
      return (type == null ? "GET " : "POST ")
          + path
          + " HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: "
          + apiKey
          + "\r\n"
          + (type == null ? "" : "Content-Type: " + type + "\r\n");
    }

    /// The header block of an Append call with a valid key.
    byte[] appendHeaders() {
      return RawConnection.join(
          RawConnection.callHeaders("/hub.v1.Hub/Append"),
          RawConnection.header("datanadhi-api-key", apiKey));
    }
  }

  private interface Behaviour {
    /// @return whether to keep the connection open
    boolean send(RawConnection connection, Target target);
  }

  private static final class Bombs {
    static final byte[] GZIP =
        RawConnection.gzip(
            text("{\"pipelines\":[],\"log_data\":\"" + "x".repeat(64 << 20) + "\"}"));
  }

  private final Door door;

  @SuppressWarnings("ImmutableEnumChecker") // the lambdas have no state
  private final Behaviour behaviour;

  HubHostileClient(Door door, Behaviour behaviour) {
    this.door = door;
    this.behaviour = behaviour;
  }

  Door door() {
    return door;
  }

  /// How many connections a flood has at most. Each that reads nothing costs the work for as many
  /// answers as the buffers of its socket hold: a flood of them would only show how fast the
  /// machine is.
  int mostConnections() {
    return this == DEAF ? 20 : Integer.MAX_VALUE;
  }

  /// Sends what this kind of client sends; does not wait for an answer.
  ///
  /// @return whether to keep the connection open
  boolean send(RawConnection connection, Target target) {
    return behaviour.send(connection, target);
  }

  /// All kinds.
  static List<HubHostileClient> all() {
    return List.of(values());
  }

  private static byte[] text(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
