package com.datanadhi.echopost.grpc;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import org.jspecify.annotations.Nullable;

/// Decodes the headers of a connection's calls. A block with the same bytes as the one before is
/// decoded only once: a client's calls start with the same headers, and decoding them took a fifth
/// of the CPU time per record (docs/adr/0019). Confined to the event loop.
///
/// The same bytes mean the same headers as long as the dynamic table does not change. A block of
/// indexed fields alone (RFC 7541, 6.1) does not change it, so such a block is cached until another
/// one comes. Callers share the returned object and must not change it; Netty's own decoder writes
/// a `content-length` into it, each time the same one.
final class CachingHeadersDecoder extends DefaultHttp2HeadersDecoder {
  /// Three times the size of clients' blocks. The decoded headers stay in memory as long as the
  /// connection.
  private static final int MAX_CACHED_BYTES = 32;

  private ByteBuf cachedBlock = Unpooled.EMPTY_BUFFER;
  private @Nullable Http2Headers cached;
  private int lastRequest;

  /// @param maxListSize the limit of the size of a call's headers (RFC 9113, 6.5.2)
  CachingHeadersDecoder(long maxListSize) {
    super(true, maxListSize);
  }

  @Override
  public Http2Headers decodeHeaders(int stream, ByteBuf block) throws Http2Exception {
    if (cached != null && stream > lastRequest && block.equals(cachedBlock)) {
      lastRequest = stream;
      return cached;
    }
    // Another block can change the table, even if an error is found in it later.
    cached = null;
    ByteBuf whole = block.duplicate();
    Http2Headers headers = super.decodeHeaders(stream, block);
    if (headers.method() != null) {
      requestStarts(stream);
    }
    if (headers.method() != null
        && whole.readableBytes() <= MAX_CACHED_BYTES
        && isAllIndexed(whole)) {
      cachedBlock = Unpooled.copiedBuffer(whole);
      cached = headers;
    }
    return headers;
  }

  /// A request must have a higher stream than all before it (RFC 9113, 5.1.1). Netty does not
  /// distinguish such a request from the trailers of a stream that is closed already.
  private void requestStarts(int stream) throws Http2Exception {
    if (stream <= lastRequest) {
      throw Http2Exception.connectionError(
          Http2Error.PROTOCOL_ERROR, "request on stream %s after %s", stream, lastRequest);
    }
    lastRequest = stream;
  }

  /// Whether the same bytes return `headers` again, unless another block comes in between.
  @SuppressWarnings("ReferenceEquality") // to compare the fields takes as long as to decode them
  boolean isCached(Http2Headers headers) {
    return headers == cached;
  }

  /// Whether each byte is one indexed field: the highest bit and the index. An index of 127 would
  /// continue in the next byte.
  private static boolean isAllIndexed(ByteBuf block) {
    return block.forEachByte(next -> next < 0 && next != -1) < 0;
  }
}
