package com.datanadhi.echopost.control;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/// `MetricsReply`: the text alone.
final class MetricsReply extends Message<String> {
  private static final int TEXT = 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;

  @Override
  void write(String text, CodedOutputStream out) throws IOException {
    out.writeString(1, text);
  }

  @Override
  String read(CodedInputStream in) throws IOException {
    String text = "";
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case TEXT -> text = in.readString();
        default -> skip(in, tag);
      }
    }
    return text;
  }
}
