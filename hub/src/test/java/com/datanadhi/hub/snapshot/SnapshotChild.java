package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.time.Clock;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A process that takes snapshots of `acme` in a directory, keeps one, and kills itself before or
/// after a call of the store.
///
/// Arguments: directory, and when, such as `create 2 after`: the third call that creates.
final class SnapshotChild {
  private SnapshotChild() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    String[] point = args[1].split(" ", -1);
    int[] countdown = {Integer.parseInt(point[1])};
    boolean isBefore = point[2].equals("before");
    FolderStore folder = new FolderStore(directory.resolve("objects"));
    ObjectStore objects =
        (ObjectStore)
            Proxy.newProxyInstance(
                SnapshotChild.class.getClassLoader(),
                new Class<?>[] {ObjectStore.class},
                (_, method, values) -> {
                  boolean isLast = method.getName().equals(point[0]) && countdown[0]-- == 0;
                  if (isLast && isBefore) {
                    kill();
                  }
                  try {
                    Object result = method.invoke(folder, values);
                    if (isLast) {
                      kill();
                    }
                    return result;
                  } catch (InvocationTargetException failed) {
                    throw failed.getCause();
                  }
                });
    try (Tenants tenants = new Tenants(directory.resolve("tenants"))) {
      SnapshotStore store = new SnapshotStore(objects);
      Path scratch = directory.resolve("snapshot-scratch");
      SnapshotLoop loop =
          new SnapshotLoop(
              () -> List.of("acme"),
              tenants.databases,
              store,
              new Snapshotter(tenants.databases, store, scratch, "1", _ -> -1, Clock.system()),
              Duration.ZERO,
              1,
              new SnapshotLoop.Pauses(() -> false, () -> false),
              Clock.system());
      tenants.append("acme", 10);
      loop.turn();
    }
  }

  private static void kill() {
    Runtime.getRuntime().halt(137);
  }
}
