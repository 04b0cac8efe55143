package com.datanadhi.echopost.control;

import com.datanadhi.echopost.control.AgentStatus.StorageState;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.List;

/// `StatusReply`. A state that is newer than this program counts as unknown, or as failed.
final class StatusMarshaller extends Message<AgentStatus> {
  private static final int PID = 1 << 3 | WireFormat.WIRETYPE_VARINT;
  private static final int STARTED_AT = 2 << 3 | WireFormat.WIRETYPE_VARINT;
  private static final int VERSION = 3 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int SERVER = 4 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int SERVER_STATE = 5 << 3 | WireFormat.WIRETYPE_VARINT;
  private static final int SERVER_SINCE = 6 << 3 | WireFormat.WIRETYPE_VARINT;
  private static final int STORAGE_STATE = 7 << 3 | WireFormat.WIRETYPE_VARINT;
  private static final int ACCEPTED_PER_SECOND = 8 << 3 | WireFormat.WIRETYPE_FIXED64;
  private static final int DELIVERED_PER_SECOND = 9 << 3 | WireFormat.WIRETYPE_FIXED64;

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
  }

  @Override
  AgentStatus read(CodedInputStream in) throws IOException {
    long pid = 0;
    long startedAt = 0;
    String version = "";
    String server = "";
    ServerHealth serverState = ServerHealth.UNKNOWN;
    long serverSince = 0;
    StorageState storageState = StorageState.OK;
    double accepted = 0;
    double delivered = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case PID -> pid = in.readInt64();
        case STARTED_AT -> startedAt = in.readInt64();
        case VERSION -> version = in.readString();
        case SERVER -> server = in.readString();
        case SERVER_STATE -> serverState = of(ServerHealth.values(), in, ServerHealth.UNKNOWN);
        case SERVER_SINCE -> serverSince = in.readInt64();
        case STORAGE_STATE -> storageState = of(StorageState.values(), in, StorageState.FAILED);
        case ACCEPTED_PER_SECOND -> accepted = in.readDouble();
        case DELIVERED_PER_SECOND -> delivered = in.readDouble();
        default -> skip(in, tag);
      }
    }
    return new AgentStatus(
        pid,
        startedAt,
        version,
        server,
        serverState,
        serverSince,
        storageState,
        accepted,
        delivered);
  }

  /// The proto numbers its states in the order in which they are declared.
  private static <E> int number(E state, E[] declared) {
    return List.of(declared).indexOf(state);
  }

  private static <E> E of(E[] values, CodedInputStream in, E newer) throws IOException {
    int number = in.readEnum();
    return number >= 0 && number < values.length ? values[number] : newer;
  }
}
