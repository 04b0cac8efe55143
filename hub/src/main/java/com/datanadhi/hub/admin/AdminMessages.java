package com.datanadhi.hub.admin;

import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.proto.admin.Event;
import com.datanadhi.hub.proto.admin.Key;
import com.datanadhi.hub.proto.admin.ReadRequest;
import com.datanadhi.hub.proto.admin.Source;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/// The messages of `proto/hub_admin.proto` for the types of the hub, in both directions.
final class AdminMessages {
  private AdminMessages() {}

  static Key key(ApiKey key) {
    Key.Builder message =
        Key.newBuilder().setId(key.id()).setTenant(key.tenant()).setCreatedAt(key.createdAt());
    if (key.name() != null) {
      message.setName(key.name());
    }
    if (key.revokedAt() != null) {
      message.setRevokedAt(key.revokedAt());
    }
    return message.build();
  }

  static ApiKey key(Key message) {
    return new ApiKey(
        message.getId(),
        message.getTenant(),
        message.hasName() ? message.getName() : null,
        message.getCreatedAt(),
        message.hasRevokedAt() ? message.getRevokedAt() : null);
  }

  static ReadRequest read(String tenant, EventFilter filter) {
    ReadRequest.Builder message =
        ReadRequest.newBuilder().setTenant(tenant).setFrom(filter.from()).setLimit(filter.limit());
    if (filter.pipeline() != null) {
      message.setPipeline(filter.pipeline());
    }
    if (filter.since() != null) {
      message.setSince(filter.since());
    }
    if (filter.until() != null) {
      message.setUntil(filter.until());
    }
    return message.build();
  }

  static EventFilter filter(ReadRequest message) {
    return new EventFilter(
        message.getFrom(),
        message.getLimit(),
        message.hasPipeline() ? message.getPipeline() : null,
        message.hasSince() ? message.getSince() : null,
        message.hasUntil() ? message.getUntil() : null);
  }

  static Event event(StoredEvent event) {
    return Event.newBuilder()
        .setSeq(event.seq())
        .setKey(event.key())
        .setPart(event.part())
        .setReceivedAt(event.receivedAt())
        .setPosition(event.position())
        .setPipelines(event.pipelines())
        .setLogData(UnsafeByteOperations.unsafeWrap(event.logData()))
        .setSha256(event.sha256())
        .setDurability(event.durability())
        .build();
  }

  static StoredEvent event(Event message) {
    return new StoredEvent(
        message.getSeq(),
        message.getKey(),
        message.getPart(),
        message.getReceivedAt(),
        message.getPosition(),
        message.getPipelines(),
        message.getLogData().toByteArray(),
        message.getSha256(),
        message.getDurability());
  }

  static Source source(SourceState source) {
    Source.Builder message =
        Source.newBuilder().setSource(source.source()).setLastReceivedAt(source.lastReceivedAt());
    for (Interval run : source.intervals()) {
      message.addRuns(Source.Run.newBuilder().setFirst(run.first()).setLast(run.last()));
    }
    return message.build();
  }

  static SourceState source(Source message) {
    return new SourceState(
        message.getSource(),
        message.getRunsList().stream()
            .map(run -> new Interval(run.getFirst(), run.getLast()))
            .toList(),
        message.getLastReceivedAt());
  }

  static StatusRuntimeException status(AdministrationException failed) {
    Status.Code code =
        switch (failed.reason()) {
          case INVALID -> Status.Code.INVALID_ARGUMENT;
          case NOT_FOUND -> Status.Code.NOT_FOUND;
          case UNAVAILABLE -> Status.Code.UNAVAILABLE;
          case FAILED -> Status.Code.INTERNAL;
        };
    return code.toStatus().withDescription(failed.getMessage()).asRuntimeException();
  }

  static AdministrationException failure(StatusRuntimeException status) {
    String text =
        status.getStatus().getDescription() == null
            ? "the hub answered " + status.getStatus().getCode()
            : status.getStatus().getDescription();
    return new AdministrationException(
        switch (status.getStatus().getCode()) {
          case INVALID_ARGUMENT -> AdministrationException.Reason.INVALID;
          case NOT_FOUND -> AdministrationException.Reason.NOT_FOUND;
          case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED ->
              AdministrationException.Reason.UNAVAILABLE;
          default -> AdministrationException.Reason.FAILED;
        },
        text,
        status);
  }
}
