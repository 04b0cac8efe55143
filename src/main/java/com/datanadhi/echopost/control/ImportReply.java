package com.datanadhi.echopost.control;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/// `ImportReply`.
final class ImportReply extends Message<Integer> {
  private static final int COUNT = 1;

  @Override
  void write(Integer count, CodedOutputStream out) throws IOException {
    out.writeInt32(COUNT, count);
  }

  @Override
  Integer read(CodedInputStream in) throws IOException {
    int count = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == (COUNT << 3 | WireFormat.WIRETYPE_VARINT)) {
        count = in.readInt32();
      } else {
        skip(in, tag);
      }
    }
    return count;
  }
}
