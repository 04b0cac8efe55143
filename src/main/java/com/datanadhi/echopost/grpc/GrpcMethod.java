package com.datanadhi.echopost.grpc;

import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;

/// A method that a server offers, and the bounds of its calls. Immutable.
///
/// @param <Q> the type of requests
/// @param <A> the type of responses
/// @param handler receives the calls, always as [GrpcCall]
/// @param maxMessageBytes the bound of a request message as it is sent; a call with a larger one is
///   refused
/// @param maxUnpackedBytes the bound of a compressed request message: its decompression ends one
///   byte after it, so that the marshaller can notice
/// @param isBounded whether its open calls count toward the server's bound; false if the handler
///   bounds them itself
public record GrpcMethod<Q, A>(
    MethodDescriptor<Q, A> descriptor,
    ServerCallHandler<Q, A> handler,
    int maxMessageBytes,
    int maxUnpackedBytes,
    boolean isBounded) {
  /// A method with those bounds whose open calls count toward the server's bound.
  public static <Q, A> GrpcMethod<Q, A> bounded(
      ServerMethodDefinition<Q, A> method, int maxMessageBytes, int maxUnpackedBytes) {
    return new GrpcMethod<>(
        method.getMethodDescriptor(),
        method.getServerCallHandler(),
        maxMessageBytes,
        maxUnpackedBytes,
        true);
  }
}
