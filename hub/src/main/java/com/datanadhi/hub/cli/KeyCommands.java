package com.datanadhi.hub.cli;

import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.query.RecordLine;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `key create`, `key list`, `key revoke`.
final class KeyCommands {
  private static final JsonMapper JSON = new JsonMapper();

  private KeyCommands() {}

  @Command(name = "key", description = "Creates, lists and revokes API keys.")
  static final class Group {}

  @Command(
      name = "create",
      description = {
        "Creates an API key for a tenant, and the tenant with its first key.",
        "The key is printed once: the hub keeps only its SHA-256. It is valid when the command"
            + " ends."
      })
  static final class Create implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();
    @Mixin private final TenantFlag tenant = new TenantFlag();

    @Option(
        names = "--name",
        paramLabel = "N",
        description = "What the key is for, at most 255 characters.")
    private @Nullable String name;

    Create(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      String owner = tenant.tenant();
      return session.onHub(
          common,
          (hub, _) -> {
            print(hub.createKey(owner, name));
            return ExitStatus.DONE;
          });
    }

    private void print(NewApiKey created) {
      if (common.json()) {
        session
            .out()
            .json(
                JSON.createObjectNode()
                    .put("id", created.id())
                    .put("tenant", created.tenant())
                    .put("name", created.name())
                    .put("key", created.key())
                    .toString());
      } else {
        session.out().line(created.key());
        session.out().flush();
        session
            .err()
            .line(
                "Key "
                    + created.id()
                    + " of tenant "
                    + created.tenant()
                    + ". Keep it now: it cannot be shown again.");
      }
    }
  }

  @Command(name = "list", description = "Lists API keys, revoked ones too, without their text.")
  static final class ListKeys implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();

    @Option(
        names = "--tenant-id",
        paramLabel = "T",
        description = "Only the keys of this tenant (default: all).")
    private @Nullable String tenant;

    ListKeys(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      String owner = tenant == null ? null : TenantFlag.check(tenant);
      return session.onHub(
          common,
          (hub, _) -> {
            print(hub.keys(owner));
            return ExitStatus.DONE;
          });
    }

    private void print(List<ApiKey> keys) {
      if (common.json()) {
        ArrayNode array = JSON.createArrayNode();
        keys.forEach(key -> array.add(json(key)));
        session.out().json(array.toString());
        return;
      }
      Table table = new Table("id", "tenant", "name", "created", "revoked");
      for (ApiKey key : keys) {
        table.row(
            key.id(),
            key.tenant(),
            key.name() == null ? "-" : key.name(),
            RecordLine.time(key.createdAt()),
            key.revokedAt() == null ? "-" : RecordLine.time(key.revokedAt()));
      }
      table.print(session.out());
    }
  }

  @Command(
      name = "revoke",
      description = "Revokes an API key. The hub refuses it when the command ends.")
  static final class Revoke implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();

    @Parameters(index = "0", paramLabel = "ID", description = "The key's id, from 'key list'.")
    private @Nullable String id;

    Revoke(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      return session.onHub(
          common,
          (hub, _) -> {
            ApiKey key = hub.revokeKey(String.valueOf(id));
            if (common.json()) {
              session.out().json(json(key).toString());
            } else {
              session.out().line("Revoked key " + key.id() + " of tenant " + key.tenant());
            }
            return ExitStatus.DONE;
          });
    }
  }

  private static ObjectNode json(ApiKey key) {
    return JSON.createObjectNode()
        .put("id", key.id())
        .put("tenant", key.tenant())
        .put("name", key.name())
        .put("created_at", RecordLine.time(key.createdAt()))
        .put("revoked_at", key.revokedAt() == null ? null : RecordLine.time(key.revokedAt()));
  }
}
