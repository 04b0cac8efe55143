package com.datanadhi.hub.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.restore.Cut;
import com.datanadhi.hub.restore.Restorer;
import com.datanadhi.hub.restore.Target;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How a restore asks the store, whose answers can take long.
class RestoreRequestsTest {
  private static final int SEGMENTS = 40;

  @TempDir private Path directory;
  private ArchivedHub hub;

  @BeforeEach
  void archive() throws Exception {
    hub = new ArchivedHub(directory);
    Archiver archiver = hub.archiver();
    for (int i = 1; i <= SEGMENTS; i++) {
      hub.store("acme", "k-" + i, "{\"n\":" + i + "}");
      hub.archive(archiver);
    }
  }

  @AfterEach
  void close() {
    hub.close();
  }

  @FunctionalInterface
  private interface Opening {
    void of(String key) throws Exception;
  }

  /// The folder, which tells what is opened before it opens it.
  private ObjectStore telling(Opening opening) {
    FolderStore folder = hub.store;
    return (ObjectStore)
        Proxy.newProxyInstance(
            ObjectStore.class.getClassLoader(),
            new Class<?>[] {ObjectStore.class},
            (_, method, arguments) -> {
              if (method.getName().equals("open")) {
                opening.of((String) arguments[0]);
              }
              try {
                return method.invoke(folder, arguments);
              } catch (InvocationTargetException failed) {
                throw failed.getTargetException();
              }
            });
  }

  private Cut restore(ObjectStore store) throws Exception {
    try (TenantDatabases databases = new TenantDatabases(directory.resolve("restored"), 8)) {
      return new Restorer(store, Clock.system(), (_, _, _) -> {})
          .into(databases, "acme", new Target.End());
    }
  }

  @Test
  void each_object_is_read_once() throws Exception {
    Map<String, Integer> opened = new HashMap<>();
    Cut cut =
        restore(
            telling(key -> {
              synchronized (opened) {
                opened.merge(key, 1, Integer::sum);
              }
            }));
    assertThat(cut.seq()).isEqualTo(SEGMENTS);
    assertThat(opened).hasSize(2 * SEGMENTS);
    assertThat(opened.values()).allMatch(times -> times == 1);
  }

  @Test
  void checksums_are_read_several_at_a_time() throws Exception {
    CountDownLatch atOnce = new CountDownLatch(8);
    Cut cut =
        restore(
            telling(key -> {
              if (key.endsWith(".checksum")) {
                atOnce.countDown();
                assertThat(atOnce.await(20, TimeUnit.SECONDS)).as("8 at a time").isTrue();
              }
            }));
    assertThat(cut.seq()).isEqualTo(SEGMENTS);
  }

  @Test
  void a_store_that_fails_ends_the_reading() throws Exception {
    Map<String, Integer> opened = new HashMap<>();
    ObjectStore failing =
        telling(key -> {
          synchronized (opened) {
            opened.merge(key, 1, Integer::sum);
          }
          throw new ObjectStoreException(
              ObjectStoreException.Kind.UNAVAILABLE, "cannot be reached", null);
        });
    assertThatThrownBy(() -> restore(failing))
        .isInstanceOf(ObjectStoreException.class)
        .hasMessage("cannot be reached");
    assertThat(opened.size()).isLessThan(SEGMENTS);
  }
}
