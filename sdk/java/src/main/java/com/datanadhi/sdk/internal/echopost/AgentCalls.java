package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.Function;

/**
 * The calls of an agent that the SDK makes, as in {@code proto/logagent.proto} and {@code
 * proto/operator.proto}. Their few fields are encoded here: protobuf's library would be 8 % of the
 * jar, and Java 24 and later warn of its use of {@code sun.misc.Unsafe}.
 */
final class AgentCalls {
  /** Stores a record. */
  static final MethodDescriptor<byte[], StoreReply> SEND_LOG =
      unary("logagent.LogAgent/SendLog", StoreReply::decode);

  /** Asks for the agent's server. */
  static final MethodDescriptor<byte[], StatusReply> STATUS =
      unary("echopost.Operator/Status", StatusReply::decode);

  private AgentCalls() {}

  private static <T> MethodDescriptor<byte[], T> unary(String name, Function<byte[], T> decode) {
    return MethodDescriptor.<byte[], T>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(name)
        .setRequestMarshaller(new RequestMarshaller())
        .setResponseMarshaller(new ReplyMarshaller<>(decode))
        .build();
  }

  /** A {@code LogRequest}. */
  static byte[] logRequest(OutgoingRecord record, String apiKey) {
    ProtobufWriter message = new ProtobufWriter(record.json().length() + 256);
    message.string(1, record.json());
    for (String pipeline : record.pipelines()) {
      message.string(2, pipeline);
    }
    message.string(3, apiKey);
    return message.message();
  }

  /** A {@code StatusRequest}, which has no fields. */
  static byte[] statusRequest() {
    return new byte[0];
  }

  /** A {@code LogResponse}. */
  record StoreReply(boolean success, String message) {
    static StoreReply decode(byte[] message) {
      boolean success = false;
      String text = "";
      ProtobufReader fields = new ProtobufReader(message);
      while (fields.next()) {
        if (fields.isVarint(1)) {
          success = fields.bool();
        } else if (fields.isString(2)) {
          text = fields.string();
        }
      }
      return new StoreReply(success, text);
    }
  }

  /**
   * A {@code StatusReply}.
   *
   * @param server the URL of the agent's main server; empty if the agent does not tell it
   */
  record StatusReply(String server) {
    static StatusReply decode(byte[] message) {
      String server = "";
      ProtobufReader fields = new ProtobufReader(message);
      while (fields.next()) {
        if (fields.isString(4)) {
          server = fields.string();
        }
      }
      return new StatusReply(server);
    }
  }

  private static final class RequestMarshaller implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] message) {
      return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("A client receives no requests");
    }
  }

  private record ReplyMarshaller<T>(Function<byte[], T> decode)
      implements MethodDescriptor.Marshaller<T> {
    @Override
    public T parse(InputStream stream) {
      try {
        return decode.apply(stream.readAllBytes());
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }

    @Override
    public InputStream stream(T message) {
      throw new UnsupportedOperationException("A client sends no replies");
    }
  }
}
