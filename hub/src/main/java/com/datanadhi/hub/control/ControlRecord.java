package com.datanadhi.hub.control;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.ApiKeyRow;
import com.datanadhi.hub.view.ControlChanges;
import com.datanadhi.hub.view.CursorRow;
import com.datanadhi.hub.view.LossRow;
import com.datanadhi.hub.view.SkipRow;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What a log record of the `control` stream means: the JSON object that is its `log_data`. The
/// moment of it is the log record's time. The JSON outlives the program: members are only added.
sealed interface ControlRecord {
  JsonMapper JSON = new JsonMapper();

  /// An API key was created.
  ///
  /// @param sha256 of the key's text, in lower-case hex
  record KeyCreated(String id, String tenant, @Nullable String name, String sha256)
      implements ControlRecord {}

  /// An API key is not valid any more.
  record KeyRevoked(String id) implements ControlRecord {}

  /// A consumer has read a pipeline up to `through`.
  record CursorMoved(String tenant, String pipeline, String consumer, long through)
      implements ControlRecord {}

  /// A log record is not applied.
  record Skip(String position, String stream, long offset, String reason)
      implements ControlRecord {}

  /// The log records `first` to `last` are lost.
  record Loss(String stream, long first, long last, String reason) implements ControlRecord {}

  /// The database of a tenant, or of `_control`, was restored and continues in this log.
  ///
  /// @param epoch of the log that it was restored from
  /// @param seq its last one
  /// @param chain after that, in lower-case hex
  record Adopted(String tenant, String epoch, long seq, String chain) implements ControlRecord {}

  /// The `log_data` of this record.
  default byte[] toJson() {
    ObjectNode json = JSON.createObjectNode();
    switch (this) {
      case KeyCreated(String id, String tenant, String name, String sha256) -> {
        json.put("type", "api_key_created").put("id", id).put("tenant", tenant);
        if (name != null) {
          json.put("name", name);
        }
        json.put("sha256", sha256);
      }
      case KeyRevoked(String id) -> json.put("type", "api_key_revoked").put("id", id);
      case CursorMoved(String tenant, String pipeline, String consumer, long through) ->
          json.put("type", "cursor_moved")
              .put("tenant", tenant)
              .put("pipeline", pipeline)
              .put("consumer", consumer)
              .put("through", through);
      case Skip(String position, String stream, long offset, String reason) ->
          json.put("type", "skip")
              .put("position", position)
              .put("stream", stream)
              .put("offset", offset)
              .put("reason", reason);
      case Loss(String stream, long first, long last, String reason) ->
          json.put("type", "loss")
              .put("stream", stream)
              .put("first", first)
              .put("last", last)
              .put("reason", reason);
      case Adopted(String tenant, String epoch, long seq, String chain) ->
          json.put("type", "adopt")
              .put("tenant", tenant)
              .put("epoch", epoch)
              .put("seq", seq)
              .put("chain", chain);
    }
    return json.toString().getBytes(UTF_8);
  }

  /// The payload of the log record.
  ///
  /// @param key a new idempotency key
  default byte[] toPayload(String key, long keyHorizonMillis) {
    List<RecordData> records = List.of(new RecordData(List.of(), toJson()));
    Content content = Digests.content(records);
    return EventCodec.encode(
        new EventBody(
            keyHorizonMillis,
            "fsync",
            List.of(new Transaction(TenantName.CONTROL, key, content, records))));
  }

  /// Changes the tables of `_control` as the record says.
  ///
  /// @param time of the log record, in milliseconds since 1970
  /// @param offset of the log record
  default void put(ControlChanges writer, long time, long offset) {
    switch (this) {
      case KeyCreated(String id, String tenant, String name, String sha256) ->
          writer.putApiKey(new ApiKeyRow(id, tenant, name, sha256, time, null));
      case KeyRevoked(String id) -> writer.revokeApiKey(id, time);
      case CursorMoved(String tenant, String pipeline, String consumer, long through) ->
          writer.putCursor(new CursorRow(tenant, pipeline, consumer, through, time, offset));
      case Skip(_, String stream, long skipped, String reason) ->
          writer.putSkip(new SkipRow(stream, skipped, reason, time));
      case Loss(String stream, long first, long last, String reason) ->
          writer.putLoss(new LossRow(stream, first, last, reason));
      case Adopted(String tenant, _, _, _) -> {
        if (tenant.equals(TenantName.CONTROL)) {
          writer.continueInNewLog(offset);
        }
      }
    }
  }

  /// Reads the payload of a log record.
  ///
  /// @throws UnreadableException this program cannot tell what the record means
  static ControlRecord ofPayload(byte[] payload) throws UnreadableException {
    try {
      EventBody body = EventCodec.decode(payload);
      List<RecordData> records = body.transactions().getFirst().records();
      if (body.transactions().size() != 1 || records.size() != 1) {
        throw new UnreadableException("it does not consist of one record");
      }
      return ofJson(records.getFirst().logData());
    } catch (EventCodec.InvalidBodyException invalid) {
      throw new UnreadableException(String.valueOf(invalid.getMessage()));
    }
  }

  /// Reads `log_data`.
  ///
  /// @throws UnreadableException this program cannot tell what the record means
  static ControlRecord ofJson(byte[] logData) throws UnreadableException {
    JsonNode json;
    try {
      json = JSON.readTree(logData);
    } catch (JacksonException malformed) {
      throw new UnreadableException("it is not JSON: " + malformed.getOriginalMessage());
    }
    String type = json.path("type").asString("");
    return switch (type) {
      case "api_key_created" ->
          new KeyCreated(
              text(json, "id"),
              text(json, "tenant"),
              json.path("name").isString() ? json.path("name").stringValue() : null,
              text(json, "sha256"));
      case "api_key_revoked" -> new KeyRevoked(text(json, "id"));
      case "cursor_moved" ->
          new CursorMoved(
              text(json, "tenant"),
              text(json, "pipeline"),
              text(json, "consumer"),
              number(json, "through"));
      case "skip" ->
          new Skip(
              text(json, "position"),
              text(json, "stream"),
              number(json, "offset"),
              text(json, "reason"));
      case "loss" ->
          new Loss(
              text(json, "stream"),
              number(json, "first"),
              number(json, "last"),
              text(json, "reason"));
      case "adopt" ->
          new Adopted(
              text(json, "tenant"), text(json, "epoch"), number(json, "seq"), text(json, "chain"));
      default ->
          throw new UnreadableException(
              "its type \"" + type + "\" is not known to this version of the hub");
    };
  }

  private static String text(JsonNode json, String member) throws UnreadableException {
    JsonNode value = json.path(member);
    if (!value.isString()) {
      throw new UnreadableException("its member \"" + member + "\" is not a string");
    }
    return value.stringValue();
  }

  private static long number(JsonNode json, String member) throws UnreadableException {
    JsonNode value = json.path(member);
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw new UnreadableException("its member \"" + member + "\" is not a number");
    }
    return value.longValue();
  }

  /// A log record of the `control` stream whose meaning this program does not know.
  final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1;

    UnreadableException(String message) {
      super(message);
    }
  }
}
