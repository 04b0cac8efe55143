package com.datanadhi.echopost.ingest;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import org.jspecify.annotations.Nullable;

/// Decodes a connection's headers, and those that are the bytes of the ones before only once: a
/// client's calls begin alike, and to decode that took a fifth of a record's time (docs/adr/0022).
///
/// The same bytes mean the same headers while the table that they point into stands. A block that
/// is all indexed fields (RFC 7541, 6.1) leaves it as it is, so that such a block counts until
/// another comes. Who gets the same object again finds it as it was: Netty's own decoder writes a
/// `content-length` into it, each time the same one.
final class CachingHeadersDecoder extends DefaultHttp2HeadersDecoder {
  /// Three times what clients say. What it means stays in memory while its connection does.
  private static final int LONGEST = 32;

  private ByteBuf block = Unpooled.EMPTY_BUFFER;
  private @Nullable Http2Headers known;

  /// @param maxListSize of a call's headers (RFC 9113, 6.5.2)
  CachingHeadersDecoder(long maxListSize) {
    super(true, maxListSize);
  }

  @Override
  public Http2Headers decodeHeaders(int stream, ByteBuf said) throws Http2Exception {
    if (known != null && said.equals(block)) {
      return known;
    }
    // What is not all indexed can change the table, also where it turns out to be wrong.
    known = null;
    ByteBuf whole = said.duplicate();
    Http2Headers headers = super.decodeHeaders(stream, said);
    if (whole.readableBytes() <= LONGEST && isAllIndexed(whole)) {
      block = Unpooled.copiedBuffer(whole);
      known = headers;
    }
    return headers;
  }

  /// Whether the same bytes will give `headers` again, while nothing else comes between.
  @SuppressWarnings("ReferenceEquality") // to compare them takes as long as to decode them
  boolean isKnown(Http2Headers headers) {
    return headers == known;
  }

  /// Whether each byte is one indexed field: 1 and the index, which a 127 would say goes on in the
  /// next byte.
  private static boolean isAllIndexed(ByteBuf said) {
    return said.forEachByte(next -> next < 0 && next != -1) < 0;
  }
}
