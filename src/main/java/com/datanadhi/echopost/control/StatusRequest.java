package com.datanadhi.echopost.control;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import java.io.IOException;

/// Asks the agent how it is doing.
public record StatusRequest() {
  static final class Marshaller extends Message<StatusRequest> {
    @Override
    void write(StatusRequest message, CodedOutputStream out) {}

    @Override
    StatusRequest read(CodedInputStream in) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        skip(in, tag);
      }
      return new StatusRequest();
    }
  }
}
