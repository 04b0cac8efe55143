package com.datanadhi.echopost.grpc;

import io.grpc.Status;

/// The reason why the server ended a call without its handler. Immutable.
///
/// @param status is sent to the client
public record CallFault(Kind kind, Status status) {
  /// The kinds of faults.
  public enum Kind {
    /// The call breaks the rules of gRPC, or its message cannot be read.
    INVALID,
    /// The message is larger than its method allows.
    TOO_LARGE,
    /// There is not enough memory for the message.
    OVERLOADED
  }

  /// The call's bytes break the rules of gRPC over HTTP/2.
  static CallFault malformed(String why) {
    return new CallFault(Kind.INVALID, Status.INTERNAL.withDescription(why));
  }

  static CallFault invalid(Status status) {
    return new CallFault(Kind.INVALID, status);
  }

  static CallFault tooLarge(String why) {
    return new CallFault(Kind.TOO_LARGE, Status.RESOURCE_EXHAUSTED.withDescription(why));
  }

  static CallFault overloaded(String why) {
    return new CallFault(Kind.OVERLOADED, Status.RESOURCE_EXHAUSTED.withDescription(why));
  }
}
