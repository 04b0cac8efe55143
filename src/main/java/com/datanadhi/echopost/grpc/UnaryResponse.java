package com.datanadhi.echopost.grpc;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.nio.charset.StandardCharsets;

/// The bytes of a successful response with one message: headers, message and trailers, three frames
/// of HTTP/2 (RFC 9113, 6.1 and 6.2). The header fields are literals that do not enter the dynamic
/// table (RFC 7541, 6.2.2), so that they are the same bytes for every call.
final class UnaryResponse {
  /// `:status: 200` is entry 8 of the static table, the name `content-type` is entry 31.
  private static final byte[] HEADERS = octets("\u0088\u000F\u0010\u0010application/grpc");

  private static final byte[] TRAILERS = octets("\u0000\u000Bgrpc-status\u00010");

  private UnaryResponse() {}

  /// The length of a whole response.
  ///
  /// @param messageBytes the length of its message, without the prefix
  static int length(int messageBytes) {
    return 3 * Http2CodecUtil.FRAME_HEADER_LENGTH
        + HEADERS.length
        + MessagePrefix.BYTES
        + messageBytes
        + TRAILERS.length;
  }

  /// Appends a response to `out`.
  ///
  /// @param message must fit into a frame
  static void write(ByteBuf out, int stream, byte[] message) {
    frame(out, HEADERS.length, Http2FrameTypes.HEADERS, Http2Flags.END_HEADERS, stream);
    out.writeBytes(HEADERS);
    frame(out, MessagePrefix.BYTES + message.length, Http2FrameTypes.DATA, 0, stream);
    MessagePrefix.writeMessage(out, message);
    frame(
        out,
        TRAILERS.length,
        Http2FrameTypes.HEADERS,
        Http2Flags.END_HEADERS | Http2Flags.END_STREAM,
        stream);
    out.writeBytes(TRAILERS);
  }

  private static void frame(ByteBuf out, int length, byte type, int flags, int stream) {
    out.writeMedium(length).writeByte(type).writeByte(flags).writeInt(stream);
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
