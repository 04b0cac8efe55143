package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.grpc.CallFault;
import io.grpc.Status;

/// The reason why a record is refused. Immutable.
///
/// @param reason the metric's label
/// @param status is sent to the client
record Refusal(Reason reason, Status status) {
  static final Refusal TOO_MANY_OPEN_CALLS =
      new Refusal(
          Reason.OVERLOADED,
          Status.RESOURCE_EXHAUSTED.withDescription(
              "the request is incomplete and too many calls wait behind it: send it again"));
  static final Refusal STARTING =
      new Refusal(
          Reason.STARTING,
          Status.UNAVAILABLE.withDescription(
              "the agent is starting: its socket is not published yet"));
  static final Refusal SHUTTING_DOWN =
      new Refusal(
          Reason.SHUTTING_DOWN, Status.UNAVAILABLE.withDescription("the agent is shutting down"));

  /// The kinds of refusals.
  enum Reason {
    /// The record or its call breaks a rule.
    INVALID,
    /// The record is too large.
    TOO_LARGE,
    /// There is not enough space on the disk.
    DISK_FULL,
    /// There is not enough memory for the record.
    OVERLOADED,
    /// The client did not finish its request.
    INCOMPLETE,
    /// The agent has not opened its buffer yet.
    STARTING,
    /// The agent is stopping.
    SHUTTING_DOWN,
    /// The commit failed.
    STORAGE_FAILED
  }

  /// The reason for which the server ended a call.
  static Reason reason(CallFault.Kind fault) {
    return switch (fault) {
      case INVALID -> Reason.INVALID;
      case TOO_LARGE -> Reason.TOO_LARGE;
      case OVERLOADED -> Reason.OVERLOADED;
    };
  }

  static Refusal invalid(String why) {
    return new Refusal(Reason.INVALID, Status.INVALID_ARGUMENT.withDescription(why));
  }

  static Refusal tooLarge(String why) {
    return new Refusal(Reason.TOO_LARGE, Status.RESOURCE_EXHAUSTED.withDescription(why));
  }

  static Refusal diskFull(String why) {
    return new Refusal(Reason.DISK_FULL, Status.RESOURCE_EXHAUSTED.withDescription(why));
  }

  static Refusal overloaded(String why) {
    return new Refusal(Reason.OVERLOADED, Status.RESOURCE_EXHAUSTED.withDescription(why));
  }

  static Refusal incomplete(String why) {
    return new Refusal(Reason.INCOMPLETE, Status.CANCELLED.withDescription(why));
  }

  static Refusal storageFailed(String why) {
    return new Refusal(Reason.STORAGE_FAILED, Status.INTERNAL.withDescription(why));
  }
}
