package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A segment of the hub's log as `docs/hub/log-contract.md` describes it, read without code of the
/// hub.
///
/// @param file its path
/// @param bytes all of it
/// @param frames its records up to the first that is not sound, with the seal
@SuppressWarnings("ArrayRecordComponent") // never compared
record HubSegment(Path file, byte[] bytes, List<Frame> frames) {
  private static final int SEGMENT_HEADER_BYTES = 64;
  private static final int HEADER_BYTES = 29;
  private static final int CRC_AT = 4;
  private static final Pattern KEY =
      Pattern.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[1-9][0-9]*");

  /// A record in the file.
  ///
  /// @param synced the offset before which everything was synced when it was written
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Frame(int position, int end, long offset, long synced, int type, byte[] payload) {
    /// The first key of a sender in it; null if it has none.
    @Nullable String key() {
      Matcher key = KEY.matcher(new String(payload, StandardCharsets.ISO_8859_1));
      return key.find() ? key.group() : null;
    }

    boolean isSeal() {
      return type == 0;
    }
  }

  /// All segments of `events-0`, in order.
  static List<HubSegment> all(Path data) throws IOException {
    return all(data, "events-0");
  }

  /// All segments of a stream, in order.
  static List<HubSegment> all(Path data, String stream) throws IOException {
    List<HubSegment> all = new ArrayList<>();
    try (var files = Files.list(data.resolve("log").resolve(stream))) {
      for (Path file :
          files
              .filter(one -> one.toString().endsWith(".log"))
              .sorted((a, b) -> Long.compare(firstOffset(a), firstOffset(b)))
              .toList()) {
        all.add(read(file));
      }
    }
    return all;
  }

  long firstOffset() {
    return firstOffset(file);
  }

  private static long firstOffset(Path file) {
    String name = file.getFileName().toString();
    return Long.parseLong(name.substring(37, 57));
  }

  static HubSegment read(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    List<Frame> frames = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    byte[] epoch = Arrays.copyOfRange(bytes, 8, 24);
    int position = SEGMENT_HEADER_BYTES;
    while (position + HEADER_BYTES <= bytes.length) {
      int length = in.getInt(position);
      long end = (long) position + HEADER_BYTES + length;
      if (length < 0
          || end > bytes.length
          || in.getInt(position + CRC_AT) != crc(epoch, bytes, position, (int) end)) {
        break;
      }
      long offset = in.getLong(position + 8);
      frames.add(
          new Frame(
              position,
              (int) end,
              offset,
              offset - in.getInt(position + 24),
              bytes[position + 28],
              Arrays.copyOfRange(bytes, position + HEADER_BYTES, (int) end)));
      position = (int) end;
    }
    return new HubSegment(file, bytes, frames);
  }

  boolean isSealed() {
    return !frames.isEmpty() && frames.getLast().isSeal();
  }

  /// Replaces the payload of a record by one of the same length, with a checksum that is right.
  void replacePayload(Frame frame, byte[] payload) throws IOException {
    byte[] changed = bytes.clone();
    System.arraycopy(payload, 0, changed, frame.position() + HEADER_BYTES, payload.length);
    int crc = crc(Arrays.copyOfRange(bytes, 8, 24), changed, frame.position(), frame.end());
    ByteBuffer.wrap(changed).putInt(frame.position() + CRC_AT, crc);
    Files.delete(file);
    Files.write(file, changed);
  }

  private static int crc(byte[] epoch, byte[] bytes, int position, int end) {
    CRC32C crc = new CRC32C();
    crc.update(epoch);
    crc.update(bytes, position, CRC_AT);
    crc.update(bytes, position + 8, end - position - 8);
    return (int) crc.getValue();
  }
}
