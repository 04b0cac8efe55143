package com.datanadhi.echopost.grpc;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// The five bytes before each message: a flag for compression and the length
/// ("Length-Prefixed-Message" of gRPC over HTTP/2).
final class MessagePrefix {
  /// The length of a prefix.
  static final int BYTES = 5;

  private static final int COMPRESSED = 1;

  private MessagePrefix() {}

  /// The reason why the prefix at the start of `bytes` is refused, or null.
  ///
  /// @param bytes at least [#BYTES]
  /// @param mayBeCompressed whether the call's headers name an encoding
  /// @param maxLength the limit of the message's length
  static @Nullable CallFault fault(ByteBuf bytes, boolean mayBeCompressed, int maxLength) {
    int flags = bytes.getUnsignedByte(bytes.readerIndex());
    if (flags > COMPRESSED) {
      return CallFault.malformed("the prefix of a message has reserved bits set");
    }
    if (flags == COMPRESSED && !mayBeCompressed) {
      return CallFault.malformed(
          "a message is compressed, but the call has no grpc-encoding header");
    }
    long length = length(bytes);
    return length > maxLength
        ? CallFault.tooLarge("the message is " + length + " bytes long, the limit is " + maxLength)
        : null;
  }

  /// Whether `bytes`, which start with a prefix, hold its whole message.
  static boolean isFollowedByMessage(ByteBuf bytes) {
    return bytes.readableBytes() - BYTES >= length(bytes);
  }

  private static long length(ByteBuf bytes) {
    return bytes.getUnsignedInt(bytes.readerIndex() + 1);
  }

  /// Appends an uncompressed message with its prefix: [#BYTES] more than the message.
  static void writeMessage(ByteBuf out, byte[] message) {
    out.writeBoolean(false).writeInt(message.length).writeBytes(message);
  }
}
