package com.datanadhi.echopost.control;

import com.datanadhi.echopost.record.ImportBatch;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `ImportBatch`.
final class ImportMarshaller extends Message<ImportBatch> {
  private static final int DIGEST = 1;
  private static final int RECORDS = 2;
  private static final int LOG_DATA = 1;
  private static final int PIPELINES = 2;
  private static final int KEY = 3;
  private static final byte[] NONE = {};

  @Override
  void write(ImportBatch batch, CodedOutputStream out) throws IOException {
    out.writeByteArray(DIGEST, batch.digest());
    for (ImportBatch.Line line : batch.records()) {
      @Nullable String key = line.key();
      int size =
          CodedOutputStream.computeByteArraySize(LOG_DATA, line.jsonData())
              + CodedOutputStream.computeByteArraySize(PIPELINES, line.pipelines())
              + (key == null ? 0 : CodedOutputStream.computeStringSize(KEY, key));
      out.writeTag(RECORDS, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag(size);
      out.writeByteArray(LOG_DATA, line.jsonData());
      out.writeByteArray(PIPELINES, line.pipelines());
      if (key != null) {
        out.writeString(KEY, key);
      }
    }
  }

  @Override
  ImportBatch read(CodedInputStream in) throws IOException {
    byte[] digest = NONE;
    List<ImportBatch.Line> records = new ArrayList<>();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case DIGEST << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> digest = in.readByteArray();
        case RECORDS << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
          int end = in.pushLimit(in.readRawVarint32());
          records.add(line(in));
          in.popLimit(end);
        }
        default -> skip(in, tag);
      }
    }
    return new ImportBatch(digest, records);
  }

  private static ImportBatch.Line line(CodedInputStream in) throws IOException {
    byte[] jsonData = NONE;
    byte[] pipelines = NONE;
    @Nullable String key = null;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case LOG_DATA << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> jsonData = in.readByteArray();
        case PIPELINES << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
            pipelines = in.readByteArray();
        case KEY << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> key = in.readStringRequireUtf8();
        default -> skip(in, tag);
      }
    }
    return new ImportBatch.Line(jsonData, pipelines, key);
  }
}
