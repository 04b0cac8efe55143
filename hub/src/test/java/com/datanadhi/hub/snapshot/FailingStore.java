package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectInfo;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A store whose calls a test lets fail: before they are done, or after, so that only the answer is
/// lost.
class FailingStore implements ObjectStore {
  /// When a call fails.
  enum When {
    BEFORE,
    AFTER
  }

  private final ObjectStore store;

  /// Calls so far, as `create snapshots/…`.
  final List<String> calls = new ArrayList<>();

  private String failing = "";
  private int countdown = -1;
  private When when = When.BEFORE;
  private boolean isDown;

  FailingStore(ObjectStore store) {
    this.store = store;
  }

  /// Lets the nth call from now on fail, counted from 0, and none after it.
  ///
  /// @param what of the calls that begin so, such as `delete`
  void fail(String what, int nth, When at) {
    failing = what;
    countdown = nth;
    when = at;
  }

  void failNoMore() {
    countdown = -1;
  }

  void down(boolean now) {
    isDown = now;
  }

  private interface Call<T> {
    T run() throws ObjectStoreException, InterruptedException;
  }

  private <T> T call(String what, String key, Call<T> call)
      throws ObjectStoreException, InterruptedException {
    boolean fails = what.startsWith(failing) && countdown-- == 0;
    calls.add(what + " " + key);
    if (isDown || (fails && when == When.BEFORE)) {
      throw new ObjectStoreException(Kind.UNAVAILABLE, key + ": is down", null);
    }
    T result = call.run();
    if (fails) {
      throw new ObjectStoreException(Kind.UNAVAILABLE, key + ": no answer", null);
    }
    return result;
  }

  @Override
  public boolean create(String key, Path content)
      throws ObjectStoreException, InterruptedException {
    return call("create", key, () -> store.create(key, content));
  }

  @Override
  public boolean create(String key, byte[] content)
      throws ObjectStoreException, InterruptedException {
    return call("create", key, () -> store.create(key, content));
  }

  @Override
  public @Nullable ObjectInfo head(String key) throws ObjectStoreException, InterruptedException {
    return call("head", key, () -> Optional.ofNullable(store.head(key))).orElse(null);
  }

  @Override
  public InputStream open(String key) throws ObjectStoreException, InterruptedException {
    return call("open", key, () -> store.open(key));
  }

  @Override
  public byte[] read(String key, int maxBytes) throws ObjectStoreException, InterruptedException {
    return call("read", key, () -> store.read(key, maxBytes));
  }

  @Override
  public void list(String prefix, Sink sink) throws ObjectStoreException, InterruptedException {
    boolean _ =
        call(
            "list",
            prefix,
            () -> {
              store.list(prefix, sink);
              return true;
            });
  }

  @Override
  public List<String> folders(String prefix) throws ObjectStoreException, InterruptedException {
    return call("folders", prefix, () -> store.folders(prefix));
  }

  @Override
  public void delete(String key) throws ObjectStoreException, InterruptedException {
    boolean _ =
        call(
            "delete",
            key,
            () -> {
              store.delete(key);
              return true;
            });
  }

  @Override
  public String url() {
    return store.url();
  }

  @Override
  public void close() {
    store.close();
  }
}
