package com.datanadhi.echopost.grpc;

import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;

/// A method that a server offers, and the limits of its calls. Immutable.
///
/// @param <Q> the type of requests
/// @param <A> the type of responses
/// @param handler receives the calls, always as [GrpcCall]
/// @param maxMessageBytes the limit of a request message as it is sent; a call with a larger one is
///   refused
/// @param maxDecompressedBytes the limit of a compressed request message after decompression, which
///   ends one byte after it, so that the marshaller can detect a larger one
/// @param usesServerLimit whether its open calls count toward the server's limit; false if the
///   handler limits them itself
public record GrpcMethod<Q, A>(
    MethodDescriptor<Q, A> descriptor,
    ServerCallHandler<Q, A> handler,
    int maxMessageBytes,
    int maxDecompressedBytes,
    boolean usesServerLimit) {
  /// A method whose open calls count toward the server's limit.
  public static <Q, A> GrpcMethod<Q, A> withServerLimit(
      ServerMethodDefinition<Q, A> method, int maxMessageBytes, int maxDecompressedBytes) {
    return new GrpcMethod<>(
        method.getMethodDescriptor(),
        method.getServerCallHandler(),
        maxMessageBytes,
        maxDecompressedBytes,
        true);
  }
}
