package com.datanadhi.echopost.control;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/// Asks the agent for its metrics.
///
/// @param openMetrics in OpenMetrics 1.0 instead of Prometheus' text format
public record MetricsRequest(boolean openMetrics) {
  static final class Marshaller extends Message<MetricsRequest> {
    private static final int OPEN_METRICS = 1 << 3 | WireFormat.WIRETYPE_VARINT;

    @Override
    void write(MetricsRequest message, CodedOutputStream out) throws IOException {
      out.writeBool(1, message.openMetrics());
    }

    @Override
    MetricsRequest read(CodedInputStream in) throws IOException {
      boolean openMetrics = false;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case OPEN_METRICS -> openMetrics = in.readBool();
          default -> skip(in, tag);
        }
      }
      return new MetricsRequest(openMetrics);
    }
  }
}
