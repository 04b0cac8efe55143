package com.datanadhi.echopost.grpc;

import org.jspecify.annotations.Nullable;

/// The methods that a [GrpcServer] serves. All methods of this interface are called on the server's
/// event loop and must not block.
public interface GrpcApplication {
  /// The method of that name, or null if there is none.
  ///
  /// @param fullName `package.Service/Method`, as in the request's path without its first slash
  @Nullable GrpcMethod<?, ?> method(String fullName);

  /// A connection has ended, and with it all its calls.
  void connectionClosed(ClientConnection connection);
}
