package com.datanadhi.hub.objects;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.hub.objects.StoreProbe.Result;
import com.datanadhi.testkit.FaultyNetwork;
import com.datanadhi.testkit.S3Server;
import com.datanadhi.testkit.SmallDisk;
import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreProbeTest {
  @TempDir private Path home;

  @Test
  void a_folder_is_fit_and_nothing_of_the_probe_stays() throws Exception {
    try (ObjectStore store = new FolderStore(home.resolve("o"))) {
      assertThat(StoreProbe.probe(store)).isEqualTo(new Result.Ok());
      assertThat(home.resolve("o").resolve("probe")).doesNotExist();
    }
  }

  @Test
  void a_bucket_is_fit_and_nothing_of_the_probe_stays() throws Exception {
    try (S3Server server = S3Server.start(home.resolve("s3"));
        ObjectStore store = ObjectStores.open("s3://" + S3Server.BUCKET, server.environment())) {
      assertThat(StoreProbe.probe(store)).isEqualTo(new Result.Ok());
      List<String> keys = new ArrayList<>();
      store.list("", object -> keys.add(object.key()));
      assertThat(keys).isEmpty();
    }
  }

  @Test
  void a_store_that_cannot_be_reached_is_not_unfit_and_is_fit_later() throws Exception {
    try (S3Server server = S3Server.start(home.resolve("s3"));
        FaultyNetwork network = FaultyNetwork.start(home, server.port());
        ObjectStore store =
            ObjectStores.open(
                "s3://" + S3Server.BUCKET,
                S3Server.environment(
                    network.endpoint(), S3Server.ACCESS_KEY, S3Server.SECRET_KEY))) {
      network.refuse();
      assertThat(StoreProbe.probe(store))
          .isInstanceOfSatisfying(
              Result.Unreachable.class,
              result -> assertThat(result.reason()).contains(network.endpoint()));
      network.heal();
      assertThat(StoreProbe.probe(store)).isEqualTo(new Result.Ok());
    }
  }

  @Test
  void a_missing_bucket_can_be_created_later() throws Exception {
    try (S3Server server = S3Server.start(home.resolve("s3"));
        ObjectStore store = ObjectStores.open("s3://later", server.environment())) {
      assertThat(StoreProbe.probe(store))
          .isInstanceOfSatisfying(
              Result.Unreachable.class,
              result -> assertThat(result.reason()).contains("no bucket later"));
      Files.createDirectory(server.files("later"));
      assertThat(StoreProbe.probe(store)).isEqualTo(new Result.Ok());
    }
  }

  /// As servers do that do not know the header If-None-Match.
  @Test
  void a_server_that_creates_an_object_twice_is_unfit() throws Exception {
    Map<String, byte[]> objects = new ConcurrentHashMap<>();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String path = exchange.getRequestURI().getPath();
          byte[] body = exchange.getRequestBody().readAllBytes();
          byte[] content = objects.get(path);
          switch (exchange.getRequestMethod()) {
            case "PUT" -> {
              objects.put(path, body);
              exchange.sendResponseHeaders(200, -1);
            }
            case "GET" -> {
              exchange.sendResponseHeaders(
                  content == null ? 404 : 200, content == null ? -1 : content.length);
              if (content != null) {
                exchange.getResponseBody().write(content);
              }
            }
            case "DELETE" -> {
              objects.remove(path);
              exchange.sendResponseHeaders(204, -1);
            }
            default -> exchange.sendResponseHeaders(content == null ? 404 : 200, -1);
          }
          exchange.close();
        });
    server.start();
    try (ObjectStore store =
        ObjectStores.open(
            "s3://bucket",
            Map.of(
                "HUB_S3_ENDPOINT", "http://127.0.0.1:" + server.getAddress().getPort(),
                "AWS_ACCESS_KEY_ID", "any",
                "AWS_SECRET_ACCESS_KEY", "any",
                "AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"))) {
      assertThat(StoreProbe.probe(store))
          .isInstanceOfSatisfying(
              Result.Unfit.class,
              result ->
                  assertThat(result.message())
                      .contains("If-None-Match")
                      .contains("choose another store"));
      assertThat(objects).isEmpty();
    } finally {
      server.stop(0);
    }
  }

  @Test
  void a_folder_without_hard_links_to_all_of_it_is_unfit() throws Exception {
    Path root = home.resolve("o");
    try (SmallDisk _ = SmallDisk.mountOrSkip(root.resolve("probe"), "1m");
        ObjectStore store = new FolderStore(root)) {
      assertThat(StoreProbe.probe(store))
          .isInstanceOfSatisfying(
              Result.Unfit.class, result -> assertThat(result.message()).contains("hard link"));
    }
  }

  /// A folder that loses what was stored, or changes it.
  private static final class Forgetful implements ObjectStore {
    private final ObjectStore kept;
    private final byte @Nullable [] answer;

    Forgetful(ObjectStore kept, byte @Nullable [] answer) {
      this.kept = kept;
      this.answer = answer;
    }

    @Override
    public boolean create(String key, Path content)
        throws ObjectStoreException, InterruptedException {
      return kept.create(key, content);
    }

    @Override
    public boolean create(String key, byte[] content)
        throws ObjectStoreException, InterruptedException {
      return kept.create(key, content);
    }

    @Override
    public @Nullable ObjectInfo head(String key) throws ObjectStoreException, InterruptedException {
      return kept.head(key);
    }

    @Override
    public InputStream open(String key) throws ObjectStoreException, InterruptedException {
      return kept.open(key);
    }

    @Override
    public byte[] read(String key, int maxBytes) throws ObjectStoreException {
      if (answer == null) {
        throw new ObjectStoreException(Kind.MISSING, key + ": there is no such object", null);
      }
      return answer;
    }

    @Override
    public void list(String prefix, Sink sink) throws ObjectStoreException, InterruptedException {
      kept.list(prefix, sink);
    }

    @Override
    public List<String> folders(String prefix) throws ObjectStoreException, InterruptedException {
      return kept.folders(prefix);
    }

    @Override
    public void delete(String key) throws ObjectStoreException, InterruptedException {
      kept.delete(key);
    }

    @Override
    public String url() {
      return kept.url();
    }

    @Override
    public void close() {
      kept.close();
    }
  }

  @Test
  void a_store_that_gives_back_something_else_or_nothing_is_unfit() throws Exception {
    ObjectStore folder = new FolderStore(home.resolve("o"));
    assertThat(StoreProbe.probe(new Forgetful(folder, ObjectStoreContract.bytes("stale"))))
        .isInstanceOfSatisfying(
            Result.Unfit.class, result -> assertThat(result.message()).contains("other content"));
    assertThat(StoreProbe.probe(new Forgetful(folder, null)))
        .isInstanceOfSatisfying(
            Result.Unfit.class, result -> assertThat(result.message()).contains("lost"));
    assertThat(folder.folders("")).isEmpty();
  }
}
