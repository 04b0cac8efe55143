package com.datanadhi.hub.control;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.TenantName;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Creates and revokes API keys. Thread-safe.
final class KeyAdministration {
  private static final int MAX_NAME_LENGTH = 255;

  private final ControlFollower follower;
  private final KnownKeys keys;

  KeyAdministration(ControlFollower follower, KnownKeys keys) {
    this.follower = follower;
    this.keys = keys;
  }

  /// Creates a key, and the tenant with its first key. It opens the door when this returns.
  ///
  /// @param name for people, at most 255 characters, or null
  /// @throws IllegalArgumentException a name breaks its rule; the message says which
  NewApiKey create(String tenant, @Nullable String name)
      throws ControlUnavailableException, InterruptedException {
    if (!TenantName.isValid(tenant)) {
      throw new IllegalArgumentException(
          "a tenant's name has 1 to 64 characters of a-z, 0-9, _ and -, and begins with a letter or"
              + " a digit");
    }
    if (name != null && name.length() > MAX_NAME_LENGTH) {
      throw new IllegalArgumentException("a key's name has at most 255 characters");
    }
    follower.checkReady();
    String text = ApiKeyText.newKey();
    String id = ApiKeyText.newId();
    while (keys.get(id) != null) {
      id = ApiKeyText.newId();
    }
    follower.record(
        new ControlRecord.KeyCreated(
            id, tenant, name, HexFormat.of().formatHex(ApiKeyText.digest(text))));
    Events.info("api_key_created", "id", id, "tenant", tenant, "name", name);
    return new NewApiKey(id, tenant, name, text);
  }

  /// Makes a key invalid. It is refused when this returns.
  ///
  /// @return the key; null if none has this id
  @Nullable ApiKey revoke(String id) throws ControlUnavailableException, InterruptedException {
    follower.checkReady();
    ApiKey known = keys.get(id);
    if (known == null) {
      return null;
    }
    if (known.isValid()) {
      follower.record(new ControlRecord.KeyRevoked(id));
      Events.info("api_key_revoked", "id", id, "tenant", known.tenant());
    }
    return keys.get(id);
  }

  /// All keys, the oldest first, revoked ones included.
  ///
  /// @param tenant only its keys; null for all
  List<ApiKey> list(@Nullable String tenant) throws ControlUnavailableException {
    follower.checkReady();
    return keys.list(tenant);
  }
}
