package com.datanadhi.hub.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import com.google.rpc.Status;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// A request as it came. It is parsed by its method: parsed, a message of small fields takes many
/// times the memory of its text, which must be admitted first. And a request that cannot be parsed
/// is an answer of its own: gRPC's own marshaller would end the call with INTERNAL or UNKNOWN.
///
/// @param content unpacked; empty if it cannot be unpacked
/// @param problem why it cannot be unpacked
record Request<T>(ByteString content, @Nullable String problem, Parser<T> parser) {
  /// @throws InvalidProtocolBufferException it cannot be parsed
  T parse() throws InvalidProtocolBufferException {
    if (problem != null) {
      throw new InvalidProtocolBufferException(problem);
    }
    return parser.parseFrom(content);
  }

  /// @throws StatusException it cannot be parsed
  T orThrow() throws StatusException {
    try {
      return parse();
    } catch (InvalidProtocolBufferException malformed) {
      throw StatusProto.toStatusException(invalid(malformed));
    }
  }

  /// The status of a request that cannot be parsed.
  static Status invalid(InvalidProtocolBufferException malformed) {
    return Statuses.invalid("the message cannot be read: " + malformed.getMessage());
  }

  /// Receives requests. Fields that the hub does not know are not kept: they take memory.
  record Marshaller<T extends Message>(Parser<T> parser)
      implements MethodDescriptor.Marshaller<Request<T>> {
    Marshaller {
      parser = DiscardUnknownFieldsParser.wrap(parser);
    }

    @Override
    public Request<T> parse(InputStream stream) {
      try {
        return new Request<>(UnsafeByteOperations.unsafeWrap(read(stream)), null, parser);
      } catch (IOException cut) {
        return broken("its compression is broken");
      } catch (StatusRuntimeException bounded) {
        // Thrown where the unpacked message exceeds the bound.
        return broken(String.valueOf(bounded.getStatus().getDescription()));
      }
    }

    private Request<T> broken(String problem) {
      return new Request<>(ByteString.EMPTY, problem, parser);
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
      return value.content().newInput();
    }
  }
}
