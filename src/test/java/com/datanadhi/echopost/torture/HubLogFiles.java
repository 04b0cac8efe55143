package com.datanadhi.echopost.torture;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// A reader of a hub's log that has nothing but the document of its format: which transactions are
/// in it, up to the first record that is not sound.
///
/// @param keys of all transactions, each as `<tenant> <key>`
/// @param faults where sealed segments, which must be sound, are not; one line each
record HubLogFiles(Set<String> keys, List<String> faults) {
  private static final int SEGMENT_HEADER = 64;
  private static final int RECORD_HEADER = 29;
  private static final int MAX_PAYLOAD = 10_485_760;

  /// Reads a stream of the log in `data`; one that does not exist is empty.
  static HubLogFiles read(Path data, String stream) throws IOException {
    HubLogFiles log = new HubLogFiles(new HashSet<>(), new ArrayList<>());
    Path directory = data.resolve("log").resolve(stream);
    if (!Files.isDirectory(directory)) {
      return log;
    }
    List<Path> segments;
    try (Stream<Path> files = Files.list(directory)) {
      segments =
          files
              .filter(file -> file.toString().endsWith(".log"))
              .sorted((a, b) -> Long.compare(firstOffset(a), firstOffset(b)))
              .toList();
    }
    long end = 0;
    for (int n = 0; n < segments.size(); n++) {
      Path segment = segments.get(n);
      if (firstOffset(segment) != end) {
        log.faults.add(segment.getFileName() + " follows offset " + end);
      }
      boolean last = n == segments.size() - 1;
      end = log.readSegment(segment, last);
    }
    return log;
  }

  private static long firstOffset(Path segment) {
    String name = segment.getFileName().toString();
    return Long.parseLong(name.substring(37, name.length() - ".log".length()));
  }

  /// @return the offset after the last sound record
  private long readSegment(Path segment, boolean last) throws IOException {
    UUID epoch = UUID.fromString(segment.getFileName().toString().substring(0, 36));
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(segment));
    long next = firstOffset(segment);
    int at = SEGMENT_HEADER;
    while (at + RECORD_HEADER <= bytes.limit()) {
      int length = bytes.getInt(at);
      if (length < 0
          || length > MAX_PAYLOAD
          || at + RECORD_HEADER + length > bytes.limit()
          || bytes.getInt(at + 4) != checksum(epoch, bytes, at, length)
          || bytes.getLong(at + 8) != next) {
        break;
      }
      if (bytes.get(at + 28) == 0) {
        return next;
      }
      readBody(bytes.slice(at + RECORD_HEADER, length));
      next++;
      at += RECORD_HEADER + length;
    }
    if (!last) {
      faults.add(segment.getFileName() + " is followed by another and ends unsealed at " + next);
    }
    return next;
  }

  private static int checksum(UUID epoch, ByteBuffer bytes, int at, int length) {
    CRC32C crc = new CRC32C();
    crc.update(
        ByteBuffer.allocate(16)
            .putLong(epoch.getMostSignificantBits())
            .putLong(epoch.getLeastSignificantBits())
            .flip());
    crc.update(bytes.slice(at, 4));
    crc.update(bytes.slice(at + 8, RECORD_HEADER - 8 + length));
    return (int) crc.getValue();
  }

  /// `proto/hub_log.proto`: the transactions are field 4; in each, the tenant is field 1 and the
  /// key field 2.
  private void readBody(ByteBuffer payload) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(payload);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == 4) {
        readTransaction(CodedInputStream.newInstance(in.readByteArray()));
      } else {
        in.skipField(tag);
      }
    }
  }

  private void readTransaction(CodedInputStream in) throws IOException {
    String tenant = "";
    String key = "";
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> tenant = in.readString();
        case 2 -> key = in.readString();
        default -> in.skipField(tag);
      }
    }
    keys.add(tenant + " " + key);
  }
}
