package com.datanadhi.hub.objects;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.UUID;

/// Checks whether a store keeps what [ObjectStore] promises: it creates an object below `probe/`,
/// tries to create it again with other content, reads it, lists it and deletes it.
public final class StoreProbe {
  private static final String FOLDER = "probe/";

  /// What was found.
  public sealed interface Result {
    /// The store keeps its promises.
    record Ok() implements Result {}

    /// The store cannot be used now: it cannot be reached, or refuses what was asked for. To be
    /// tried again, since somebody can change that while the hub runs.
    ///
    /// @param reason what is wrong and what to do
    record Unreachable(String reason) implements Result {}

    /// The store answers, and cannot be used: objects in it could change, or it lost one.
    ///
    /// @param message what is wrong and what to do
    record Unfit(String message) implements Result {}
  }

  private StoreProbe() {}

  /// Probes a store, with up to six requests. What it created is removed also after a failure, if
  /// the store allows that; a killed process can leave an object of some bytes.
  public static Result probe(ObjectStore store) throws InterruptedException {
    String key = FOLDER + UUID.randomUUID();
    Result result;
    try {
      result = probe(store, key);
    } catch (ObjectStoreException failed) {
      result = failure(failed);
    }
    try {
      store.delete(key);
      if (result instanceof Result.Ok && store.head(key) != null) {
        result =
            new Result.Unreachable(
                store.url() + ": " + key + " is still there after it was deleted");
      }
    } catch (ObjectStoreException failed) {
      if (result instanceof Result.Ok) {
        result = failure(failed);
      }
    }
    return result;
  }

  private static Result probe(ObjectStore store, String key)
      throws ObjectStoreException, InterruptedException {
    byte[] first = ("first " + key).getBytes(UTF_8);
    byte[] second = ("second " + key).getBytes(UTF_8);
    // False if the answer was lost and the engine tried again; the content tells.
    boolean _ = store.create(key, first);
    boolean createdAgain = store.create(key, second);
    byte[] content = store.read(key, 1000);
    if (createdAgain || Arrays.equals(content, second)) {
      return new Result.Unfit(
          store.url()
              + " does not refuse to create an object that exists: archive and snapshots need a"
              + " store that honours the header If-None-Match: * in PutObject and"
              + " CompleteMultipartUpload. Upgrade the server, or choose another store");
    }
    if (!Arrays.equals(content, first)) {
      return new Result.Unfit(
          store.url()
              + " gave back other content than was stored ("
              + content.length
              + " bytes for "
              + first.length
              + "): look for a cache or proxy before it, or choose another store");
    }
    return store.folders("").contains(FOLDER.substring(0, FOLDER.length() - 1))
        ? new Result.Ok()
        : new Result.Unfit(
            store.url()
                + " does not list an object that was just created: archive and snapshots need a"
                + " store whose listings are consistent. Choose another store");
  }

  private static Result failure(ObjectStoreException failed) {
    String message = String.valueOf(failed.getMessage());
    return switch (failed.kind()) {
      case UNSUPPORTED ->
          new Result.Unfit(message + ". Upgrade the server, or choose another store");
      // Only a read has this kind.
      case MISSING ->
          new Result.Unfit(
              message
                  + ": the store lost an object that was just created. Look for two servers behind"
                  + " one address, or choose another store");
      case UNAVAILABLE, REFUSED -> new Result.Unreachable(message);
    };
  }
}
