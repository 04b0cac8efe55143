package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.echopost.testkit.RawConnection;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Calls of one tenant to a hub, on each way in: the routes of HTTP, and gRPC. The messages of gRPC
/// are written by hand from `proto/hub.proto`, as another program would have them. Thread-safe.
final class HubCalls implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final Metadata.Key<String> API_KEY =
      Metadata.Key.of("datanadhi-api-key", Metadata.ASCII_STRING_MARSHALLER);

  private static final Pattern LINE_ERROR =
      Pattern.compile("\"errors\":\\[\\{\"line\":1,\"status\":(\\d+)");

  private static final MethodDescriptor<byte[], byte[]> APPEND =
      MethodDescriptor.<byte[], byte[]>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("hub.v1.Hub/Append")
          .setRequestMarshaller(new Bytes())
          .setResponseMarshaller(new Bytes())
          .build();

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .executor(Executors.newVirtualThreadPerTaskExecutor())
          .connectTimeout(TIMEOUT)
          .build();
  private final String url;
  private final String apiKey;
  private final ManagedChannel channel;

  /// @param url of the hub's HTTP server
  /// @param grpcTarget host and port of its gRPC server
  HubCalls(String url, String grpcTarget, String apiKey) {
    this.url = url;
    this.apiKey = apiKey;
    this.channel = NettyChannelBuilder.forTarget(grpcTarget).usePlaintext().build();
  }

  /// One answer.
  ///
  /// @param status of HTTP; those of gRPC are translated as the contract pairs them
  /// @param body the receipt or the problem. Of gRPC: the receipt as HTTP has it, or the message
  /// @param replayed whether it says that the record was stored before
  /// @param unverified whether it says that the content was not compared
  record Answer(int status, String body, boolean replayed, boolean unverified) {
    boolean isStored() {
      return status == 200;
    }
  }

  /// A way to send one record.
  enum Way {
    LOG,
    LINES,
    UPLOAD,
    TRANSACTION,
    GRPC
  }

  /// Sends one record in a way of its own.
  ///
  /// @param json the record; a way of lines gets spaces for its line ends, as senders do it
  Answer send(Way way, String key, List<String> pipelines, String json) throws IOException {
    return switch (way) {
      case LOG -> log(key, pipelines, json);
      case LINES -> ofLine(lines(List.of(line(key, pipelines, json))));
      case UPLOAD -> upload(key, pipelines, json);
      case TRANSACTION ->
          post(
              "/v1/transactions",
              "application/json",
              key,
              ("{\"records\":[" + envelope(pipelines, json) + "]}").getBytes(UTF_8),
              false);
      case GRPC -> append(key, pipelines, json);
    };
  }

  /// `POST /log` with one record.
  Answer log(String key, List<String> pipelines, String json) throws IOException {
    return post("/log", "application/json", key, envelope(pipelines, json).getBytes(UTF_8), false);
  }

  /// A line of [#lines].
  static String line(String key, List<String> pipelines, String json) {
    return "{\"key\":\"" + key + "\"," + envelope(pipelines, oneLine(json)).substring(1);
  }

  /// `POST /log` with a record a line.
  Answer lines(List<String> lines) throws IOException {
    return post(
        "/log", "application/x-ndjson", null, String.join("\n", lines).getBytes(UTF_8), false);
  }

  /// The answer to the only line of a request.
  private static Answer ofLine(Answer all) {
    Matcher error = LINE_ERROR.matcher(all.body());
    return error.find()
        ? new Answer(Integer.parseInt(error.group(1)), all.body(), false, false)
        : all;
  }

  private Answer upload(String key, List<String> pipelines, String json) throws IOException {
    return post(
        "/upload",
        "application/octet-stream",
        key,
        RawConnection.gzip((envelope(pipelines, oneLine(json)) + "\n").getBytes(UTF_8)),
        true);
  }

  /// The digest's rule: a record is the same with spaces for its line ends.
  static String oneLine(String json) {
    return json.replace('\r', ' ').replace('\n', ' ');
  }

  private static String envelope(List<String> pipelines, String json) {
    return "{\"pipelines\":["
        + (pipelines.isEmpty() ? "" : "\"" + String.join("\",\"", pipelines) + "\"")
        + "],\"log_data\":"
        + json
        + "}";
  }

  private Answer post(String path, String type, @Nullable String key, byte[] body, boolean packed)
      throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(TIMEOUT)
            .header("DATANADHI-API-KEY", apiKey)
            .header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    if (key != null) {
      request.header("Idempotency-Key", "\"" + key + "\"");
    }
    if (packed) {
      request.header("Content-Encoding", "gzip");
    }
    return answer(request.build());
  }

  /// Any request of the tenant.
  Answer get(String path) throws IOException {
    return answer(
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(TIMEOUT)
            .header("DATANADHI-API-KEY", apiKey)
            .build());
  }

  private Answer answer(HttpRequest request) throws IOException {
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      return new Answer(
          response.statusCode(),
          response.body(),
          response.headers().firstValue("Idempotent-Replayed").isPresent(),
          response.headers().firstValue("Hub-Content").isPresent());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
  }

  /// The sum of the samples of one of the hub's metrics.
  long metric(String name) throws IOException {
    double sum = 0;
    Matcher sample =
        Pattern.compile("^" + name + "(?:\\{[^}]*})? (\\S+)$", Pattern.MULTILINE)
            .matcher(get("/metrics").body());
    if (!sample.find()) {
      throw new IOException("no metric " + name);
    }
    do {
      sum += Double.parseDouble(sample.group(1));
    } while (sample.find());
    return Math.round(sum);
  }

  private Answer append(String key, List<String> pipelines, String json) throws IOException {
    Metadata headers = new Metadata();
    headers.put(API_KEY, apiKey);
    try {
      byte[] receipt =
          ClientCalls.blockingUnaryCall(
              io.grpc.ClientInterceptors.intercept(
                  channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
              APPEND,
              CallOptions.DEFAULT.withDeadlineAfter(TIMEOUT.toSeconds(), TimeUnit.SECONDS),
              request(key, pipelines, json));
      return receipt(receipt);
    } catch (StatusRuntimeException failed) {
      Status status = failed.getStatus();
      int code =
          switch (status.getCode()) {
            case ALREADY_EXISTS -> 422;
            case INVALID_ARGUMENT -> 400;
            case UNAUTHENTICATED -> 401;
            case UNAVAILABLE -> 503;
            default -> throw new IOException("gRPC: " + status, failed);
          };
      return new Answer(code, String.valueOf(status.getDescription()), false, false);
    }
  }

  private static byte[] request(String key, List<String> pipelines, String json)
      throws IOException {
    byte[] record =
        message(out -> {
          out.writeByteArray(1, json.getBytes(UTF_8));
          for (String pipeline : pipelines) {
            out.writeString(2, pipeline);
          }
        });
    return message(out -> {
      out.writeString(1, key);
      out.writeByteArray(2, record);
    });
  }

  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private static byte[] message(Fields fields) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    fields.write(out);
    out.flush();
    return bytes.toByteArray();
  }

  private static Answer receipt(byte[] message) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message);
    String[] texts = {"null", "null", "null", "null"};
    boolean replayed = false;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int field = tag >>> 3;
      if (field >= 1 && field <= texts.length) {
        texts[field - 1] = "\"" + in.readString() + "\"";
      } else if (field == 5) {
        replayed = in.readBool();
      } else {
        boolean _ = in.skipField(tag);
      }
    }
    String json =
        "{\"status\":\"stored\",\"tenant\":%s,\"key\":%s,\"sha256\":%s,\"durability\":%s}"
            .formatted((Object[]) texts);
    return new Answer(200, json, replayed, texts[2].equals("null"));
  }

  @Override
  public void close() {
    channel.shutdownNow();
    http.shutdownNow();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }
  }
}
