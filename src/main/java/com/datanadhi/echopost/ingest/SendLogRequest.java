package com.datanadhi.echopost.ingest;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// A `LogRequest` as it came over the wire.
sealed interface SendLogRequest {
  /// A well-formed message; its payload is not looked at yet.
  ///
  /// @param jsonData the payload's bytes
  /// @param pipelines as a JSON array
  /// @param apiKey may be empty
  @SuppressWarnings("ArrayRecordComponent") // nobody compares requests
  record Message(byte[] jsonData, byte[] pipelines, byte[] apiKey) implements SendLogRequest {}

  /// Not a `LogRequest`.
  record Malformed(String why) implements SendLogRequest {}

  /// Larger than a message may be, once decompressed.
  record TooLarge(String why) implements SendLogRequest {}

  /// Reads the message off the wire by hand: it has three fields, and the generated classes would
  /// cost their loading at each start and a decoding of each payload to a string and back
  /// (docs/adr/0004).
  final class Reader implements MethodDescriptor.Marshaller<SendLogRequest> {
    private static final int JSON_DATA = 1;
    private static final int PIPELINES = 2;
    private static final int API_KEY = 3;
    private static final byte[] NONE = {};
    private static final int LONGEST_KEPT = 1 << 10;

    private final JsonFactory json = new JsonFactory();

    // Most records have the pipelines of the one before. Confined to the event loop.
    private List<byte[]> lastPipelines = List.of();
    private byte[] lastArray = array(lastPipelines);

    @Override
    public InputStream stream(SendLogRequest value) {
      throw new UnsupportedOperationException("the agent sends no requests");
    }

    /// Never throws for what a client sent: it must get an answer that says what is wrong.
    @Override
    public SendLogRequest parse(InputStream stream) {
      try {
        byte[] message = bytes(stream);
        if (message.length > GrpcCall.MAX_MESSAGE_BYTES) {
          return new TooLarge(
              "the decompressed message has more than "
                  + GrpcCall.MAX_MESSAGE_BYTES
                  + " bytes, as many as one may have");
        }
        return read(CodedInputStream.newInstance(message));
      } catch (InvalidProtocolBufferException bad) {
        return new Malformed("not a LogRequest message: " + bad.getMessage());
      } catch (IOException unreadable) {
        return new Malformed("the message cannot be decompressed: " + unreadable.getMessage());
      }
    }

    private static byte[] bytes(InputStream stream) throws IOException {
      // An uncompressed message tells its length: one array of that size, and no growing.
      return stream instanceof KnownLength
          ? stream.readNBytes(stream.available())
          : stream.readAllBytes();
    }

    private SendLogRequest read(CodedInputStream in) throws IOException {
      byte[] jsonData = NONE;
      byte[] apiKey = NONE;
      List<byte[]> pipelines = new ArrayList<>(2);
      // Of a field that comes twice the last one counts, but all have to be UTF-8.
      boolean overruledAreUtf8 = true;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        boolean text = WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
        switch (text ? WireFormat.getTagFieldNumber(tag) : 0) {
          case JSON_DATA -> {
            overruledAreUtf8 &= isUtf8(jsonData);
            jsonData = in.readByteArray();
          }
          case PIPELINES -> pipelines.add(in.readByteArray());
          case API_KEY -> {
            overruledAreUtf8 &= isUtf8(apiKey);
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
      if (!overruledAreUtf8) {
        return new Malformed("json_data or api_key comes twice, and not as UTF-8");
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

  /// The answer's way onto the wire: the bytes are the message.
  final class ResponseWriter implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] message) {
      return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("the agent receives no responses");
    }
  }
}
