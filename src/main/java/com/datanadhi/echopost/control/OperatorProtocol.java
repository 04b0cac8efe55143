package com.datanadhi.echopost.control;

import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedBatch;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The service `echopost.Operator` of proto/operator.proto, as both ends need it. Read and written
/// by hand, as the other messages are (docs/adr/0004).
public final class OperatorProtocol {
  /// The service's full name.
  public static final String SERVICE = "echopost.Operator";

  /// How the agent is doing.
  public static final MethodDescriptor<StatusRequest, AgentStatus> STATUS =
      method("Status", new StatusRequest.Marshaller(), new StatusMarshaller());

  /// The agent's metrics, as text.
  public static final MethodDescriptor<MetricsRequest, String> METRICS =
      method("Metrics", new MetricsRequest.Marshaller(), new MetricsReply());

  /// Takes records that an operator puts in; the answer is how many.
  public static final MethodDescriptor<ImportBatch, Integer> IMPORT =
      method("Import", new ImportMarshaller(), new ImportReply());

  private OperatorProtocol() {}

  private static <Q, A> MethodDescriptor<Q, A> method(
      String name, Message<Q> request, Message<A> answer) {
    return MethodDescriptor.<Q, A>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
        .setRequestMarshaller(request)
        .setResponseMarshaller(answer)
        .build();
  }

  /// The method that does `action`.
  public static MethodDescriptor<RejectedBatch, RejectedBatch.Slice> method(
      RejectedBatch.Action action) {
    String name =
        switch (action) {
          case REDRIVE -> "Redrive";
          case DISCARD -> "Discard";
        };
    return method(name, new RangeMarshaller(action), new SliceMarshaller());
  }

  /// `RejectedRange`. What is to become of the records is in the method's name.
  private static final class RangeMarshaller extends Message<RejectedBatch> {
    private final RejectedBatch.Action action;

    RangeMarshaller(RejectedBatch.Action action) {
      this.action = action;
    }

    @Override
    void write(RejectedBatch range, CodedOutputStream out) throws IOException {
      out.writeInt64(1, range.afterId());
      out.writeInt64(2, range.throughId());
      if (range.status() != null) {
        out.writeInt32(3, range.status());
      }
    }

    @Override
    RejectedBatch read(CodedInputStream in) throws IOException {
      long afterId = 0;
      long throughId = 0;
      @Nullable Integer status = null;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case AFTER_ID -> afterId = in.readInt64();
          case THROUGH_ID -> throughId = in.readInt64();
          case STATUS -> status = in.readInt32();
          default -> skip(in, tag);
        }
      }
      return new RejectedBatch(action, afterId, throughId, status);
    }

    private static final int AFTER_ID = 1 << 3 | WireFormat.WIRETYPE_VARINT;
    private static final int THROUGH_ID = 2 << 3 | WireFormat.WIRETYPE_VARINT;
    private static final int STATUS = 3 << 3 | WireFormat.WIRETYPE_VARINT;
  }

  /// `RejectedSlice`.
  private static final class SliceMarshaller extends Message<RejectedBatch.Slice> {
    @Override
    void write(RejectedBatch.Slice slice, CodedOutputStream out) throws IOException {
      out.writeInt64(1, slice.throughId());
      out.writeInt32(2, slice.count());
      for (long id : slice.damagedIds()) {
        out.writeInt64(3, id);
      }
    }

    @Override
    RejectedBatch.Slice read(CodedInputStream in) throws IOException {
      long throughId = 0;
      int count = 0;
      List<Long> damagedIds = new ArrayList<>();
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case THROUGH_ID -> throughId = in.readInt64();
          case COUNT -> count = in.readInt32();
          case DAMAGED_ID -> damagedIds.add(in.readInt64());
          case DAMAGED_IDS -> {
            int end = in.pushLimit(in.readRawVarint32());
            while (in.getBytesUntilLimit() > 0) {
              damagedIds.add(in.readInt64());
            }
            in.popLimit(end);
          }
          default -> skip(in, tag);
        }
      }
      return new RejectedBatch.Slice(throughId, count, damagedIds);
    }

    private static final int THROUGH_ID = 1 << 3 | WireFormat.WIRETYPE_VARINT;
    private static final int COUNT = 2 << 3 | WireFormat.WIRETYPE_VARINT;
    private static final int DAMAGED_ID = 3 << 3 | WireFormat.WIRETYPE_VARINT;

    // Protobuf's readers must take repeated numbers packed as well as one by one.
    private static final int DAMAGED_IDS = 3 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }
}
