package com.datanadhi.hub.testkit;

import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.GetReceiptRequest;
import com.datanadhi.hub.proto.HubGrpc;
import com.datanadhi.hub.proto.NewRecord;
import com.datanadhi.hub.proto.ReadRequest;
import com.datanadhi.testkit.AotTraining;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Polling;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;

/// Creates the AOT cache that the hub ships with (see [AotTraining]). In the training run, the hub
/// starts on a new directory, takes records by each of its ways, answers queries and stops. A
/// second run checks the cache: a hub is killed, and another one has all its records.
public final class Training {
  private static final String TENANT = "training";
  private static final int SINGLE = 2_000;
  private static final int LINES = 1_000;
  private static final int BY_GRPC = 500;
  private static final int CALLERS = 32;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private Training() {}

  /// `Training CACHE COMMAND…`: COMMAND starts the hub.
  public static void main(String[] args) throws Exception {
    // A key is created without the options of the training: each process would write a cache.
    List<String> plain = List.of(args).subList(1, args.length);
    AotTraining.create(
        Path.of(args[0]), plain, (when, command, kill) -> run(when, plain, command, kill));
  }

  private static void run(String when, List<String> plain, List<String> command, boolean kill)
      throws Exception {
    Path data = Files.createTempDirectory("echopost-hub");
    try {
      String key;
      try (HubProcess hub = HubProcess.spawn(command, data, Map.of())) {
        long _ = hub.awaitReady();
        key = HubProcess.createKey(plain, data, TENANT);
        send(hub, key);
        if (kill) {
          hub.kill();
        } else {
          end(hub, key, when);
        }
      }
      if (kill) {
        try (HubProcess hub = HubProcess.spawn(command, data, Map.of())) {
          long _ = hub.awaitReady();
          end(hub, key, when);
        }
      }
    } finally {
      Directories.delete(data);
    }
  }

  /// Stops a hub once it has shown all records.
  private static void end(HubProcess hub, String key, String when) throws Exception {
    requireAll(hub, key, when);
    hub.terminate();
    int exit = hub.awaitExit(LIMIT);
    if (exit != 0) {
      throw new IllegalStateException("exit status " + exit + ":\n" + hub.output());
    }
  }

  private static void send(HubProcess hub, String key) throws Exception {
    String source = UUID.randomUUID().toString();
    try (HttpClient client = client()) {
      try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
        var calls =
            IntStream.rangeClosed(1, SINGLE)
                .mapToObj(n ->
                    callers.submit(() ->
                        post(
                            client,
                            hub,
                            key,
                            "/log",
                            "application/json",
                            record(n).getBytes(StandardCharsets.UTF_8),
                            "Idempotency-Key",
                            "\"" + source + "-" + n + "\"")))
                .toList();
        for (var call : calls) {
          String _ = call.get();
        }
      }
      String lines =
          IntStream.rangeClosed(1, LINES)
              .mapToObj(n -> "{\"key\":\"line-" + n + "\"," + record(n).substring(1))
              .collect(Collectors.joining("\n"));
      byte[] body = lines.getBytes(StandardCharsets.UTF_8);
      String _ = post(client, hub, key, "/log", "application/x-ndjson", body);
      String _ =
          post(
              client,
              hub,
              key,
              "/upload",
              "application/octet-stream",
              gzip(record(1) + "\n" + record(2) + "\n"),
              "Idempotency-Key",
              "\"upload-1\", \"upload-2\"");
      String _ =
          post(
              client,
              hub,
              key,
              "/v1/transactions",
              "application/json",
              ("{\"records\":[" + record(1) + "," + record(2) + "]}")
                  .getBytes(StandardCharsets.UTF_8),
              "Idempotency-Key",
              "transaction-1");
    }
    sendByGrpc(hub, key);
  }

  private static void sendByGrpc(HubProcess hub, String key) throws InterruptedException {
    ManagedChannel channel = NettyChannelBuilder.forTarget(hub.grpcTarget()).usePlaintext().build();
    try {
      Metadata headers = new Metadata();
      headers.put(Metadata.Key.of("datanadhi-api-key", Metadata.ASCII_STRING_MARSHALLER), key);
      HubGrpc.HubBlockingStub stub =
          HubGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
      for (int n = 1; n <= BY_GRPC; n++) {
        var _ =
            stub.append(
                AppendRequest.newBuilder()
                    .setIdempotencyKey("grpc-" + n)
                    .addRecords(
                        NewRecord.newBuilder()
                            .addPipelines("training")
                            .setLogData(ByteString.copyFromUtf8("{\"n\":" + n + "}")))
                    .build());
      }
      var _ = stub.getReceipt(GetReceiptRequest.newBuilder().setKey("grpc-1").build());
      stub.read(ReadRequest.newBuilder().setLimit(10).build()).forEachRemaining(record -> {});
    } finally {
      channel.shutdownNow();
    }
  }

  /// Waits until all records can be read, and asks everything else that the hub answers.
  private static void requireAll(HubProcess hub, String key, String when) {
    int expected = SINGLE + LINES + 2 + 2 + BY_GRPC;
    try (HttpClient client = client()) {
      long _ =
          Polling.until(
              () -> get(client, hub, key, "/v1/records?limit=10000").lines().count() == expected,
              Duration.ofMillis(50),
              LIMIT,
              () -> "the hub does not have all records " + when + ":\n" + hub.output());
      for (String path :
          List.of(
              "/",
              "/health",
              "/livez",
              "/readyz",
              "/metrics",
              "/v1/sources",
              "/v1/receipts/line-1",
              "/v1/pipelines/training/records?consumer=training&limit=10&wait=1")) {
        String _ = get(client, hub, key, path);
      }
    }
  }

  private static HttpClient client() {
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  private static String record(int n) {
    return "{\"pipelines\":[\"training\"],\"log_data\":{\"n\":"
        + n
        + ",\"message\":\""
        + "x".repeat(300)
        + "\"}}";
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return packed.toByteArray();
  }

  private static String post(
      HttpClient client,
      HubProcess hub,
      String key,
      String path,
      String type,
      byte[] body,
      String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = request(hub, key, path).header("Content-Type", type);
    if (headers.length > 0) {
      request.headers(headers);
    }
    return require200(
        client.send(
            request.POST(BodyPublishers.ofByteArray(body)).build(), BodyHandlers.ofString()),
        path);
  }

  private static String get(HttpClient client, HubProcess hub, String key, String path) {
    try {
      return require200(
          client.send(request(hub, key, path).build(), BodyHandlers.ofString()), path);
    } catch (IOException failed) {
      throw new IllegalStateException("no answer to " + path + ":\n" + hub.output(), failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private static HttpRequest.Builder request(HubProcess hub, String key, String path) {
    return HttpRequest.newBuilder(URI.create(hub.url() + path)).header("DATANADHI-API-KEY", key);
  }

  private static String require200(HttpResponse<String> response, String path) {
    if (response.statusCode() != 200) {
      throw new IllegalStateException(
          response.statusCode() + " from " + path + ": " + response.body());
    }
    return response.body();
  }
}
