package com.datanadhi.echopost.ingest;

import io.grpc.Status;

/// Why a record is not taken. Immutable.
///
/// @param reason for who counts
/// @param status for the client
record Refusal(Reason reason, Status status) {
  static final Refusal CROWDED =
      new Refusal(
          Reason.OVERLOADED,
          Status.RESOURCE_EXHAUSTED.withDescription(
              "the request is not complete, and too many calls at once wait behind it"));
  static final Refusal STARTING =
      new Refusal(
          Reason.STARTING,
          Status.UNAVAILABLE.withDescription("the agent is starting: its socket is not shown yet"));
  static final Refusal SHUTTING_DOWN =
      new Refusal(
          Reason.SHUTTING_DOWN, Status.UNAVAILABLE.withDescription("the agent is shutting down"));

  /// What kinds there are.
  enum Reason {
    /// It is not what a record must be.
    INVALID,
    /// It is larger than a record may be.
    TOO_LARGE,
    /// There is no room on the disk.
    DISK_FULL,
    /// There is no room in memory, and has not been for too long.
    OVERLOADED,
    /// Its client stopped half-way.
    INCOMPLETE,
    /// The agent is not ready yet.
    STARTING,
    /// The agent was told to stop.
    SHUTTING_DOWN,
    /// The commit failed.
    STORAGE_FAILED
  }

  static Refusal invalid(String why) {
    return new Refusal(Reason.INVALID, Status.INVALID_ARGUMENT.withDescription(why));
  }

  /// The call is not as gRPC has calls.
  static Refusal brokenCall(String why) {
    return new Refusal(Reason.INVALID, Status.INTERNAL.withDescription(why));
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
