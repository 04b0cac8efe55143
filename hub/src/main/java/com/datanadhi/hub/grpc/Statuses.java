package com.datanadhi.hub.grpc;

import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.view.ViewException;
import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;

/// The statuses of the contract.
final class Statuses {
  private static final Duration RETRY = Duration.ofSeconds(1);

  private Statuses() {}

  /// Temporary: the sender tries again after `retryAfter`.
  static StatusException unavailable(String detail, Duration retryAfter) {
    RetryInfo retry =
        RetryInfo.newBuilder()
            .setRetryDelay(
                com.google.protobuf.Duration.newBuilder()
                    .setSeconds(retryAfter.getSeconds())
                    .setNanos(retryAfter.getNano()))
            .build();
    return StatusProto.toStatusException(
        status(Status.Code.UNAVAILABLE, detail).toBuilder().addDetails(Any.pack(retry)).build());
  }

  static StatusException unavailable(Outcome.Unavailable outcome) {
    return unavailable(outcome.detail(), outcome.retryAfter());
  }

  static com.google.rpc.Status invalid(String detail) {
    return status(Status.Code.INVALID_ARGUMENT, detail);
  }

  static com.google.rpc.Status invalid(Outcome.Invalid outcome) {
    return invalid(outcome.title() + ": " + outcome.detail());
  }

  static com.google.rpc.Status conflict(Outcome.Conflict outcome) {
    String what =
        outcome.stored().digest().equals(outcome.sent().digest())
            ? "; the pipelines differ: sent pipelines' sha256 "
                + outcome.sent().pipelinesDigest()
                + ", stored "
                + outcome.stored().pipelinesDigest()
            : "";
    return status(
        Status.Code.ALREADY_EXISTS,
        "the key "
            + outcome.key()
            + " is known with another payload: sent sha256 "
            + outcome.sent().digest()
            + ", stored "
            + outcome.stored().digest()
            + what
            + ". It is kept as a conflict; send a new record under a new key");
  }

  /// The status of a call that failed with `failure`.
  static StatusException of(Exception failure) {
    return switch (failure) {
      case StatusException status -> status;
      case InvalidQueryException query ->
          StatusProto.toStatusException(invalid(String.valueOf(query.getMessage())));
      case ViewException view -> unavailable(String.valueOf(view.getMessage()), RETRY);
      case ControlUnavailableException control ->
          unavailable(String.valueOf(control.getMessage()), RETRY);
      case InterruptedException _ -> {
        Thread.currentThread().interrupt();
        yield Stopping.refusal();
      }
      default -> {
        // Senders drop records on other statuses, and what is unexpected can be temporary.
        Events.severe("grpc_call_failed", failure);
        yield unavailable("the hub failed; its log has the reason", RETRY);
      }
    };
  }

  private static com.google.rpc.Status status(Status.Code code, String detail) {
    return com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage(detail).build();
  }
}
