package com.datanadhi.echopost.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersDecoder;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CachingHeadersDecoderTest {
  private static final int MAX_BYTES = 8 << 10;
  private static final int BLOCKS = 20_000;

  private final Http2HeadersDecoder decoder = new CachingHeadersDecoder(MAX_BYTES);
  private final DefaultHttp2HeadersEncoder encoder =
      new DefaultHttp2HeadersEncoder((name, value) -> name.toString().equals("secret"));
  private int stream = -1;

  private ByteBuf block(Http2Headers headers) throws Http2Exception {
    ByteBuf block = Unpooled.buffer();
    encoder.encodeHeaders(stream += 2, headers, block);
    return block;
  }

  private static Http2Headers headers(String... namesAndValues) {
    Http2Headers headers = new DefaultHttp2Headers().method("POST").scheme("http").path("/a/b");
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return headers;
  }

  private static Random seeded() {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println(
        "CachingHeadersDecoderTest seed " + seed + " (-Dechopost.seed=" + seed + ")");
    return new Random(seed);
  }

  @Test
  void a_repeated_block_is_not_decoded_again() throws Exception {
    Http2Headers sent = headers("te", "trailers");
    Http2Headers first = decoder.decodeHeaders(1, block(sent));
    Http2Headers second = decoder.decodeHeaders(3, block(sent));
    // The first block put its fields into the table, so its bytes were different.
    assertThat(second).isNotSameAs(first).isEqualTo(first);
    assertThat(decoder.decodeHeaders(5, block(sent))).isSameAs(second);
  }

  @Test
  void a_field_that_is_never_indexed_is_decoded_each_time() throws Exception {
    Http2Headers sent = headers("secret", "s");
    Http2Headers _ = decoder.decodeHeaders(1, block(sent));
    Http2Headers second = decoder.decodeHeaders(3, block(sent));
    assertThat(decoder.decodeHeaders(5, block(sent))).isEqualTo(second).isNotSameAs(second);
  }

  @Test
  void a_request_on_the_stream_of_an_earlier_one_is_a_connection_error() throws Exception {
    Http2Headers sent = headers("te", "trailers");
    Http2Headers _ = decoder.decodeHeaders(1, block(sent));
    ByteBuf indexed = block(sent);
    Http2Headers _ = decoder.decodeHeaders(5, indexed.duplicate());
    for (int behind : new int[] {3, 5}) {
      Http2Headers _ = decoder.decodeHeaders(behind + 4, indexed.duplicate());
      assertThatThrownBy(() -> decoder.decodeHeaders(behind, indexed.duplicate()))
          .isInstanceOfSatisfying(
              Http2Exception.class,
              refused -> assertThat(refused.error()).isEqualTo(Http2Error.PROTOCOL_ERROR))
          .isNotInstanceOf(Http2Exception.StreamException.class);
    }
    // Trailers are no request.
    Http2Headers trailers = new DefaultHttp2Headers().add("some", "thing");
    assertThat(decoder.decodeHeaders(3, block(trailers))).isEqualTo(trailers);
  }

  /// With few names and values and a small table that changes its size, the same bytes are sent
  /// again and mean something else.
  @Test
  void random_blocks_are_decoded_as_by_nettys_decoder() throws Exception {
    Random random = seeded();
    Http2HeadersDecoder reference = new DefaultHttp2HeadersDecoder(true, MAX_BYTES);
    Set<Http2Headers> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    Http2Headers sent = headers();
    for (int n = 0; n < BLOCKS; n++) {
      if (random.nextInt(4) == 0) {
        sent = headers();
        for (int fields = random.nextInt(4); fields > 0; fields--) {
          sent.add(
              random.nextInt(30) == 0 ? "secret" : "name" + random.nextInt(4),
              "value" + random.nextInt(6));
        }
      }
      if (random.nextInt(50) == 0) {
        encoder.maxHeaderTableSize(random.nextInt(400));
      }
      ByteBuf block = block(sent);
      Http2Headers decoded = decoder.decodeHeaders(n + 1, block.duplicate());
      assertThat(decoded)
          .describedAs("block %d", n)
          .isEqualTo(reference.decodeHeaders(n + 1, block))
          .isEqualTo(sent);
      distinct.add(decoded);
    }
    assertThat(distinct).hasSizeBetween(BLOCKS / 10, BLOCKS * 9 / 10);
  }

  /// Indexed fields, literals that enter the table and that do not, changes of its size, and bytes
  /// that are none of these.
  private static byte[] anyBlock(Random random) {
    ByteBuf block = Unpooled.buffer();
    for (int fields = random.nextInt(6); fields > 0; fields--) {
      switch (random.nextInt(8)) {
        case 0 -> block.writeByte(random.nextInt(256));
        case 1 -> block.writeByte(0x20 | random.nextInt(31));
        case 2, 3 -> {
          block.writeByte(random.nextBoolean() ? 0x40 : 0);
          block.writeByte(1).writeByte("aA:".charAt(random.nextInt(3)));
          block.writeByte(1).writeByte('0' + random.nextInt(3));
        }
        default -> block.writeByte(0x80 | (random.nextBoolean() ? 62 : 1) + random.nextInt(4));
      }
    }
    byte[] bytes = new byte[block.readableBytes()];
    block.readBytes(bytes);
    return bytes;
  }

  private static String outcome(Http2HeadersDecoder decoder, int stream, byte[] block) {
    try {
      return decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(block)).toString();
    } catch (Http2Exception malformed) {
      return malformed.error() + " " + malformed.getMessage();
    }
  }

  @Test
  void malformed_blocks_give_the_errors_of_nettys_decoder_and_clear_the_cache() {
    Random random = seeded();
    for (int connection = 0; connection < 2_000; connection++) {
      Http2HeadersDecoder caching = new CachingHeadersDecoder(MAX_BYTES);
      Http2HeadersDecoder reference = new DefaultHttp2HeadersDecoder(true, MAX_BYTES);
      byte[][] blocks = {anyBlock(random), anyBlock(random), anyBlock(random), anyBlock(random)};
      for (int n = 0; n < 20; n++) {
        byte[] block = blocks[random.nextInt(blocks.length)];
        assertThat(outcome(caching, n + 1, block))
            .describedAs("block %d of connection %d", n, connection)
            .isEqualTo(outcome(reference, n + 1, block));
      }
    }
  }
}
