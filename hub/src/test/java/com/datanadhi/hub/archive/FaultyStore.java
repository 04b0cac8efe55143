package com.datanadhi.hub.archive;

import com.datanadhi.hub.objects.ObjectInfo;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// A store whose calls fail as the test says.
final class FaultyStore implements ObjectStore {
  /// What happens at a call.
  enum Fault {
    NONE,
    /// It cannot be reached.
    LOST,
    /// It does what it is asked for, but the answer is lost.
    ANSWER_LOST,
    /// It does what it is asked for, and is asked a second time by the client library.
    TWICE,
    /// It says that it may not.
    REFUSED,
    /// The process is killed before the call.
    KILLED_BEFORE,
    /// The process is killed after the call.
    KILLED_AFTER
  }

  /// The process was killed.
  static final class KilledException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private final ObjectStore store;
  private final IntFunction<Fault> faults;
  private int calls;

  /// @param faults by the number of the call, from 0
  FaultyStore(ObjectStore store, IntFunction<Fault> faults) {
    this.store = store;
    this.faults = faults;
  }

  int calls() {
    return calls;
  }

  private interface Call<T> {
    T run() throws ObjectStoreException, InterruptedException;
  }

  private <T> T call(Call<T> call) throws ObjectStoreException, InterruptedException {
    Fault fault = faults.apply(calls++);
    switch (fault) {
      case LOST -> throw new ObjectStoreException(Kind.UNAVAILABLE, "cannot be reached", null);
      case REFUSED -> throw new ObjectStoreException(Kind.REFUSED, "may not", null);
      case KILLED_BEFORE -> throw new KilledException();
      default -> {}
    }
    T result = call.run();
    return switch (fault) {
      case ANSWER_LOST ->
          throw new ObjectStoreException(Kind.UNAVAILABLE, "the answer was lost", null);
      case TWICE -> call.run();
      case KILLED_AFTER -> throw new KilledException();
      default -> result;
    };
  }

  @Override
  public boolean create(String key, Path content)
      throws ObjectStoreException, InterruptedException {
    return call(() -> store.create(key, content));
  }

  @Override
  public boolean create(String key, byte[] content)
      throws ObjectStoreException, InterruptedException {
    return call(() -> store.create(key, content));
  }

  @Override
  public @Nullable ObjectInfo head(String key) throws ObjectStoreException, InterruptedException {
    List<ObjectInfo> found =
        call(() -> {
          ObjectInfo info = store.head(key);
          return info == null ? List.of() : List.of(info);
        });
    return found.isEmpty() ? null : found.getFirst();
  }

  @Override
  public InputStream open(String key) throws ObjectStoreException, InterruptedException {
    return call(() -> store.open(key));
  }

  @Override
  public byte[] read(String key, int maxBytes) throws ObjectStoreException, InterruptedException {
    return call(() -> store.read(key, maxBytes));
  }

  @Override
  public void list(String prefix, Sink sink) throws ObjectStoreException, InterruptedException {
    call(() -> {
      store.list(prefix, sink);
      return true;
    });
  }

  @Override
  public List<String> folders(String prefix) throws ObjectStoreException, InterruptedException {
    return call(() -> store.folders(prefix));
  }

  @Override
  public void delete(String key) throws ObjectStoreException, InterruptedException {
    call(() -> {
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
