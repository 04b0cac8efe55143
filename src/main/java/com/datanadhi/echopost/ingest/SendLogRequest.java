package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.record.RecordRules;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// A `LogRequest` as it was received.
sealed interface SendLogRequest {
  /// The limit of a message's size: the largest payload, and room for the other fields and the
  /// framing.
  int MAX_BYTES = RecordRules.MAX_JSON_BYTES + (64 << 10);

  /// A well-formed message; its payload is not validated yet.
  ///
  /// @param jsonData the payload's bytes
  /// @param pipelines as a JSON array
  /// @param apiKey may be empty
  @SuppressWarnings("ArrayRecordComponent") // requests are never compared
  record Message(byte[] jsonData, byte[] pipelines, byte[] apiKey) implements SendLogRequest {}

  /// The message is not a `LogRequest`.
  record Malformed(String why) implements SendLogRequest {}

  /// The message is larger than [#MAX_BYTES] after decompression.
  record TooLarge(String why) implements SendLogRequest {}

  /// Parses the message without generated classes: it has three fields, and those classes would
  /// have to be loaded at each start, and would decode each payload to a string and back
  /// (docs/adr/0004). Confined to the event loop.
  final class Reader implements MethodDescriptor.Marshaller<SendLogRequest> {
    private static final int JSON_DATA = 1;
    private static final int PIPELINES = 2;
    private static final int API_KEY = 3;
    private static final byte[] NONE = {};
    private static final int LONGEST_KEPT = 1 << 10;

    private final JsonFactory json = new JsonFactory();

    // Most records have the pipelines of the one before.
    private List<byte[]> lastPipelines = List.of();
    private byte[] lastArray = array(lastPipelines);

    @Override
    public InputStream stream(SendLogRequest value) {
      throw new UnsupportedOperationException("the agent sends no requests");
    }

    /// Never throws because of what a client sent: it must get a response that names the error.
    @Override
    public SendLogRequest parse(InputStream stream) {
      try {
        byte[] message = bytes(stream);
        if (message.length > MAX_BYTES) {
          return new TooLarge(
              "the decompressed message is larger than the limit of " + MAX_BYTES + " bytes");
        }
        return read(CodedInputStream.newInstance(message));
      } catch (InvalidProtocolBufferException bad) {
        return new Malformed("not a LogRequest message: " + bad.getMessage());
      } catch (IOException unreadable) {
        return new Malformed("the message cannot be decompressed: " + unreadable.getMessage());
      }
    }

    private static byte[] bytes(InputStream stream) throws IOException {
      // The length of an uncompressed message is known: one array of that size, which does not
      // grow.
      return stream instanceof KnownLength
          ? stream.readNBytes(stream.available())
          : stream.readAllBytes();
    }

    private SendLogRequest read(CodedInputStream in) throws IOException {
      byte[] jsonData = NONE;
      byte[] apiKey = NONE;
      List<byte[]> pipelines = new ArrayList<>(2);
      // The last value of a field counts, but all have to be UTF-8.
      boolean replacedAreUtf8 = true;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        boolean text = WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
        switch (text ? WireFormat.getTagFieldNumber(tag) : 0) {
          case JSON_DATA -> {
            replacedAreUtf8 &= isUtf8(jsonData);
            jsonData = in.readByteArray();
          }
          case PIPELINES -> pipelines.add(in.readByteArray());
          case API_KEY -> {
            replacedAreUtf8 &= isUtf8(apiKey);
            apiKey = in.readByteArray();
          }
          default -> {
            if (!in.skipField(tag)) {
              return new Malformed("not a LogRequest message: an unmatched end of group");
            }
          }
        }
      }
      for (byte[] name : pipelines) {
        if (!isUtf8(name)) {
          return new Malformed("a name in pipelines is not UTF-8");
        }
      }
      if (!replacedAreUtf8) {
        return new Malformed("json_data or api_key is set twice, and not to UTF-8");
      }
      return isUtf8(apiKey)
          ? new Message(jsonData, asJson(pipelines), apiKey)
          : new Malformed("api_key is not UTF-8");
    }

    private static boolean isUtf8(byte[] text) {
      ByteString bytes = UnsafeByteOperations.unsafeWrap(text);
      return bytes.isValidUtf8();
    }

    private byte[] asJson(List<byte[]> names) {
      if (isLast(names)) {
        return lastArray;
      }
      byte[] made = array(names);
      if (made.length <= LONGEST_KEPT) {
        lastArray = made;
        lastPipelines = names;
      }
      return made;
    }

    private boolean isLast(List<byte[]> names) {
      if (names.size() != lastPipelines.size()) {
        return false;
      }
      for (int i = 0; i < names.size(); i++) {
        if (!Arrays.equals(names.get(i), lastPipelines.get(i))) {
          return false;
        }
      }
      return true;
    }

    private byte[] array(List<byte[]> names) {
      ByteArrayOutputStream out = new ByteArrayOutputStream(64);
      try (JsonGenerator array = json.createGenerator(ObjectWriteContext.empty(), out)) {
        array.writeStartArray();
        for (byte[] name : names) {
          array.writeUTF8String(name, 0, name.length);
        }
        array.writeEndArray();
      }
      return out.toByteArray();
    }
  }
}
