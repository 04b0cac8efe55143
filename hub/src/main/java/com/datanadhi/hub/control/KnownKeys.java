package com.datanadhi.hub.control;

import com.datanadhi.hub.view.ApiKeyRow;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The API keys in memory, revoked ones included. Thread-safe.
final class KnownKeys {
  /// Longer texts are no keys of ours, and are not worth their hash.
  private static final int MAX_KEY_LENGTH = 256;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record StoredKey(ApiKey key, byte[] sha256) {}

  private final Map<ByteBuffer, StoredKey> byDigest = new ConcurrentHashMap<>();
  private final Map<String, StoredKey> byId = new ConcurrentHashMap<>();

  void clear() {
    byDigest.clear();
    byId.clear();
  }

  void put(ApiKeyRow row) {
    put(
        new StoredKey(
            new ApiKey(row.id(), row.tenant(), row.name(), row.createdAt(), row.revokedAt()),
            HexFormat.of().parseHex(row.sha256())));
  }

  private void put(StoredKey stored) {
    byId.put(stored.key().id(), stored);
    byDigest.put(ByteBuffer.wrap(stored.sha256()), stored);
  }

  void revoke(String id, long time) {
    StoredKey known = byId.get(id);
    if (known != null && known.key().isValid()) {
      ApiKey key = known.key();
      put(
          new StoredKey(
              new ApiKey(key.id(), key.tenant(), key.name(), key.createdAt(), time),
              known.sha256()));
    }
  }

  /// The key, or null if none has this id.
  @Nullable ApiKey get(String id) {
    StoredKey known = byId.get(id);
    return known == null ? null : known.key();
  }

  /// All keys, the oldest first, revoked ones included.
  ///
  /// @param tenant only its keys; null for all
  List<ApiKey> list(@Nullable String tenant) {
    return byId.values().stream()
        .map(StoredKey::key)
        .filter(key -> tenant == null || key.tenant().equals(tenant))
        .sorted(Comparator.comparingLong(ApiKey::createdAt).thenComparing(ApiKey::id))
        .toList();
  }

  /// The tenants that have or had a key, in order.
  List<String> tenants() {
    TreeSet<String> tenants = new TreeSet<>();
    byId.values().forEach(stored -> tenants.add(stored.key().tenant()));
    return List.copyOf(tenants);
  }

  /// Tells whose key this is.
  ApiKeys.Identity identify(@Nullable String apiKey) {
    if (apiKey == null || apiKey.isEmpty()) {
      return new ApiKeys.Unknown(
          "send an API key in the header DATANADHI-API-KEY, or as Authorization: Bearer");
    }
    if (apiKey.length() <= MAX_KEY_LENGTH) {
      byte[] digest = ApiKeyText.digest(apiKey);
      StoredKey found = byDigest.get(ByteBuffer.wrap(digest));
      if (found != null && MessageDigest.isEqual(found.sha256(), digest)) {
        if (found.key().isValid()) {
          return new ApiKeys.Known(found.key().tenant());
        }
        return new ApiKeys.Unknown(
            "this API key was revoked; ask the operator of the hub for another one"
                + " (echopost-hub key create)");
      }
    }
    return new ApiKeys.Unknown(
        "this API key is not known here; compare it with the one that echopost-hub key create"
            + " printed, and the hub that it was created on");
  }
}
