package com.datanadhi.hub.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.rpc.Status;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// A request as it came. One that cannot be parsed is an answer of its own: gRPC's own marshaller
/// would end the call with INTERNAL or UNKNOWN.
///
/// @param message null if it cannot be parsed
/// @param problem why it cannot be parsed
/// @param bytes its length, unpacked
record Request<T>(@Nullable T message, @Nullable String problem, int bytes) {
  /// @throws StatusException it cannot be parsed
  T orThrow() throws StatusException {
    if (message == null) {
      throw StatusProto.toStatusException(invalid());
    }
    return message;
  }

  /// The status of a request that cannot be parsed.
  Status invalid() {
    return Statuses.invalid("the message cannot be read: " + problem);
  }

  /// Parses requests.
  record Marshaller<T extends Message>(Parser<T> parser)
      implements MethodDescriptor.Marshaller<Request<T>> {
    @Override
    public Request<T> parse(InputStream stream) {
      try {
        byte[] bytes = read(stream);
        return new Request<>(parser.parseFrom(bytes), null, bytes.length);
      } catch (InvalidProtocolBufferException malformed) {
        return broken(String.valueOf(malformed.getMessage()));
      } catch (IOException cut) {
        return broken("its compression is broken");
      } catch (StatusRuntimeException bounded) {
        // Thrown where the unpacked message exceeds the bound.
        return broken(String.valueOf(bounded.getStatus().getDescription()));
      }
    }

    private Request<T> broken(String problem) {
      return new Request<>(null, problem, 0);
    }

    private static byte[] read(InputStream stream) throws IOException {
      if (stream instanceof KnownLength) {
        byte[] bytes = new byte[stream.available()];
        if (stream.readNBytes(bytes, 0, bytes.length) == bytes.length) {
          return bytes;
        }
        throw new IOException("the message ends early");
      }
      return stream.readAllBytes();
    }

    @Override
    public InputStream stream(Request<T> value) {
      T message = value.message();
      return new ByteArrayInputStream(message == null ? new byte[0] : message.toByteArray());
    }
  }
}
