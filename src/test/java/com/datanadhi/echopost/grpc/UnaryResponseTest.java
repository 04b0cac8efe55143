package com.datanadhi.echopost.grpc;

import static com.datanadhi.echopost.testkit.FrameClient.DATA;
import static com.datanadhi.echopost.testkit.FrameClient.END_HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.END_STREAM;
import static com.datanadhi.echopost.testkit.FrameClient.HEADERS;
import static com.datanadhi.echopost.testkit.RawConnection.frame;
import static com.datanadhi.echopost.testkit.RawConnection.prefixed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Headers;
import org.junit.jupiter.api.Test;

class UnaryResponseTest {
  private static final int STREAM = 0x1234_5671;
  private static final byte[] MESSAGE = {1, 2, 3};

  private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder();

  /// Takes the next frame off `bytes`, which must be HEADERS with `flags`.
  private Http2Headers headers(ByteBuf bytes, int flags) throws Exception {
    byte[] block = new byte[bytes.getUnsignedMedium(bytes.readerIndex())];
    bytes.getBytes(bytes.readerIndex() + 9, block);
    assertNext(bytes, frame(HEADERS, flags, STREAM, block));
    return decoder.decodeHeaders(STREAM, Unpooled.wrappedBuffer(block));
  }

  private static void assertNext(ByteBuf bytes, byte[] frame) {
    assertThat(ByteBufUtil.getBytes(bytes.readSlice(frame.length))).isEqualTo(frame);
  }

  @Test
  void a_unary_response_is_headers_one_message_and_trailers_and_changes_no_header_table()
      throws Exception {
    ByteBuf bytes = Unpooled.buffer();
    UnaryResponse.write(bytes, STREAM, MESSAGE);
    assertThat(bytes.readableBytes()).isEqualTo(UnaryResponse.length(MESSAGE.length));

    assertThat(headers(bytes, END_HEADERS))
        .isEqualTo(new DefaultHttp2Headers().status("200").add("content-type", "application/grpc"));
    assertNext(bytes, frame(DATA, 0, STREAM, prefixed(0, MESSAGE)));
    assertThat(headers(bytes, END_HEADERS | END_STREAM))
        .isEqualTo(new DefaultHttp2Headers().add("grpc-status", "0"));
    assertThat(bytes.isReadable()).isFalse();

    // The first entry of the dynamic table (RFC 7541, 2.3.3) does not exist.
    byte[] firstEntry = {(byte) (0x80 | 62)};
    assertThat(
            catchThrowable(() -> decoder.decodeHeaders(STREAM, Unpooled.wrappedBuffer(firstEntry))))
        .hasMessageContaining("illegal index");
  }
}
