package com.datanadhi.echopost.ingest;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.nio.charset.StandardCharsets;

/// The bytes of a call's answer when all went well: its headers, its one message and its trailers,
/// three frames of HTTP/2 (RFC 9113, 6.1 and 6.2). The headers are literals that go into no table
/// (RFC 7541, 6.2.2), so that they are the same bytes for every call and whatever was sent before.
final class UnaryResponse {
  /// `:status: 200` is the static table's eighth, the name `content-type` its 31st.
  private static final byte[] HEADERS = octets("\u0088\u000F\u0010\u0010application/grpc");

  private static final byte[] TRAILERS = octets("\u0000\u000Bgrpc-status\u00010");

  private UnaryResponse() {}

  /// How long one is in all with a message of `bytes`, its prefix not counted.
  static int length(int bytes) {
    return 3 * Http2CodecUtil.FRAME_HEADER_LENGTH
        + HEADERS.length
        + GrpcCall.PREFIX_BYTES
        + bytes
        + TRAILERS.length;
  }

  /// Appends it to `out`.
  ///
  /// @param message one that fits into a frame
  static void write(ByteBuf out, int stream, byte[] message) {
    frame(out, HEADERS.length, Http2FrameTypes.HEADERS, Http2Flags.END_HEADERS, stream);
    out.writeBytes(HEADERS);
    frame(out, GrpcCall.PREFIX_BYTES + message.length, Http2FrameTypes.DATA, 0, stream);
    GrpcCall.writeMessage(out, message);
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
