package com.datanadhi.echopost.control;

import com.datanadhi.echopost.control.AgentStatus.StorageState;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The messages of `proto/operator.proto`: how each is written and read. A field's number here is
/// its number there.
public final class OperatorMessages {
  /// Asks the agent for its status.
  public record StatusRequest() {}

  /// Asks the agent for its metrics.
  ///
  /// @param openMetrics in OpenMetrics 1.0 instead of Prometheus' text format
  public record MetricsRequest(boolean openMetrics) {}

  private OperatorMessages() {}

  /// One message type.
  abstract static class MessageMarshaller<T> implements MethodDescriptor.Marshaller<T> {
    abstract void write(T message, CodedOutputStream out) throws IOException;

    abstract T read(CodedInputStream in) throws IOException;

    @Override
    public InputStream stream(T message) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      try {
        write(message, out);
        out.flush();
      } catch (IOException impossible) {
        throw new UncheckedIOException(impossible);
      }
      return new ByteArrayInputStream(bytes.toByteArray());
    }

    @Override
    public T parse(InputStream stream) {
      try {
        return read(CodedInputStream.newInstance(stream));
      } catch (IOException malformed) {
        throw Status.INTERNAL
            .withDescription("not a message of echopost.Operator")
            .withCause(malformed)
            .asRuntimeException();
      }
    }
  }

  static final MessageMarshaller<StatusRequest> STATUS_REQUEST =
      new MessageMarshaller<>() {
        @Override
        void write(StatusRequest message, CodedOutputStream out) {}

        @Override
        StatusRequest read(CodedInputStream in) throws IOException {
          MessageFields _ = MessageFields.read(in);
          return new StatusRequest();
        }
      };

  /// A constant of an enum that a newer agent has sent and this program does not know counts as
  /// unknown, or as failed.
  static final MessageMarshaller<AgentStatus> STATUS_REPLY =
      new MessageMarshaller<>() {
        @Override
        void write(AgentStatus status, CodedOutputStream out) throws IOException {
          out.writeInt64(1, status.pid());
          out.writeInt64(2, status.startedAt());
          out.writeString(3, status.version());
          out.writeString(4, status.server());
          out.writeEnum(5, number(status.serverHealth(), ServerHealth.values()));
          out.writeInt64(6, status.serverSince());
          out.writeEnum(7, number(status.storageState(), StorageState.values()));
          out.writeDouble(8, status.acceptedPerSecond());
          out.writeDouble(9, status.deliveredPerSecond());
          out.writeString(10, status.serverReason());
          out.writeString(11, status.storageProblem());
        }

        @Override
        AgentStatus read(CodedInputStream in) throws IOException {
          MessageFields fields = MessageFields.read(in);
          return new AgentStatus(
              fields.int64(1),
              fields.int64(2),
              fields.string(3),
              fields.string(4),
              constant(fields.int32(5), ServerHealth.values(), ServerHealth.UNKNOWN),
              fields.int64(6),
              fields.string(10),
              constant(fields.int32(7), StorageState.values(), StorageState.FAILED),
              fields.string(11),
              fields.float64(8),
              fields.float64(9));
        }
      };

  static final MessageMarshaller<MetricsRequest> METRICS_REQUEST =
      new MessageMarshaller<>() {
        @Override
        void write(MetricsRequest message, CodedOutputStream out) throws IOException {
          out.writeBool(1, message.openMetrics());
        }

        @Override
        MetricsRequest read(CodedInputStream in) throws IOException {
          return new MetricsRequest(MessageFields.read(in).bool(1));
        }
      };

  static final MessageMarshaller<String> METRICS_REPLY =
      new MessageMarshaller<>() {
        @Override
        void write(String text, CodedOutputStream out) throws IOException {
          out.writeString(1, text);
        }

        @Override
        String read(CodedInputStream in) throws IOException {
          return MessageFields.read(in).string(1);
        }
      };

  static final MessageMarshaller<ImportBatch> IMPORT_BATCH =
      new MessageMarshaller<>() {
        @Override
        void write(ImportBatch batch, CodedOutputStream out) throws IOException {
          out.writeByteArray(1, batch.digest());
          for (ImportBatch.Line line : batch.records()) {
            @Nullable String key = line.key();
            int size =
                CodedOutputStream.computeByteArraySize(1, line.jsonData())
                    + CodedOutputStream.computeByteArraySize(2, line.pipelines())
                    + (key == null ? 0 : CodedOutputStream.computeStringSize(3, key));
            out.writeTag(2, WireFormat.WIRETYPE_LENGTH_DELIMITED);
            out.writeUInt32NoTag(size);
            out.writeByteArray(1, line.jsonData());
            out.writeByteArray(2, line.pipelines());
            if (key != null) {
              out.writeString(3, key);
            }
          }
        }

        @Override
        ImportBatch read(CodedInputStream in) throws IOException {
          MessageFields fields = MessageFields.read(in, 2);
          List<ImportBatch.Line> lines = new ArrayList<>();
          for (MessageFields line : fields.messages(2)) {
            lines.add(new ImportBatch.Line(line.bytes(1), line.bytes(2), line.optionalString(3)));
          }
          return new ImportBatch(fields.bytes(1), lines);
        }
      };

  static final MessageMarshaller<Integer> IMPORT_REPLY =
      new MessageMarshaller<>() {
        @Override
        void write(Integer count, CodedOutputStream out) throws IOException {
          out.writeInt32(1, count);
        }

        @Override
        Integer read(CodedInputStream in) throws IOException {
          return MessageFields.read(in).int32(1);
        }
      };

  /// `RejectedRange`, for one action: the message does not contain it, the method's name does.
  static MessageMarshaller<RejectedRange> rejectedRange(RejectedRange.Action action) {
    return new MessageMarshaller<>() {
      @Override
      void write(RejectedRange range, CodedOutputStream out) throws IOException {
        out.writeInt64(1, range.afterId());
        out.writeInt64(2, range.throughId());
        if (range.status() != null) {
          out.writeInt32(3, range.status());
        }
      }

      @Override
      RejectedRange read(CodedInputStream in) throws IOException {
        MessageFields fields = MessageFields.read(in);
        return new RejectedRange(action, fields.int64(1), fields.int64(2), fields.optionalInt32(3));
      }
    };
  }

  /// `RejectedSlice`.
  static final MessageMarshaller<RejectedRange.Batch> REJECTED_BATCH =
      new MessageMarshaller<>() {
        @Override
        void write(RejectedRange.Batch batch, CodedOutputStream out) throws IOException {
          out.writeInt64(1, batch.throughId());
          out.writeInt32(2, batch.count());
          for (long id : batch.damagedIds()) {
            out.writeInt64(3, id);
          }
        }

        @Override
        RejectedRange.Batch read(CodedInputStream in) throws IOException {
          MessageFields fields = MessageFields.read(in);
          return new RejectedRange.Batch(fields.int64(1), fields.int32(2), fields.int64s(3));
        }
      };

  /// The proto numbers its constants in the order in which they are declared.
  private static <E> int number(E constant, E[] declared) {
    return List.of(declared).indexOf(constant);
  }

  private static <E> E constant(int number, E[] declared, E unknown) {
    return number >= 0 && number < declared.length ? declared[number] : unknown;
  }
}
