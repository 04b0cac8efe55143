package com.datanadhi.echopost.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpResponseDecoder;
import java.util.List;

/// Decodes responses, and recognizes what the other end speaks if it is not HTTP/1.1. Confined to
/// the event loop.
final class ResponseDecoder extends HttpResponseDecoder {
  private static final int LONGEST_START_LINE = 4 << 10;
  private static final int LONGEST_HEADER = 32 << 10;
  private static final int CHUNK = 8 << 10;
  private static final int TLS_FIRST_TYPE = 20;
  private static final int TLS_LAST_TYPE = 23;
  private static final int TLS_MAJOR_VERSION = 3;
  private static final int HTTP2_SETTINGS = 4;
  private static final int HTTP2_TYPE_OFFSET = 3;

  /// What the first bytes of the connection look like.
  enum Protocol {
    /// Nothing has arrived.
    NONE,
    /// Perhaps HTTP/1.1.
    OTHER,
    TLS,
    HTTP2
  }

  private Protocol protocol = Protocol.NONE;

  ResponseDecoder() {
    super(LONGEST_START_LINE, LONGEST_HEADER, CHUNK);
  }

  Protocol protocol() {
    return protocol;
  }

  /// Whether bytes have arrived that are not decoded yet.
  boolean hasMoreBytes() {
    return actualReadableBytes() > 0;
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
      throws Exception {
    if (protocol == Protocol.NONE && in.isReadable()) {
      protocol = protocolOf(in);
    }
    super.decode(context, in, out);
  }

  private static Protocol protocolOf(ByteBuf in) {
    int start = in.readerIndex();
    int first = in.getUnsignedByte(start);
    if (in.readableBytes() > 1
        && first >= TLS_FIRST_TYPE
        && first <= TLS_LAST_TYPE
        && in.getByte(start + 1) == TLS_MAJOR_VERSION) {
      return Protocol.TLS;
    }
    return in.readableBytes() > HTTP2_TYPE_OFFSET
            && first == 0
            && in.getByte(start + HTTP2_TYPE_OFFSET) == HTTP2_SETTINGS
        ? Protocol.HTTP2
        : Protocol.OTHER;
  }
}
