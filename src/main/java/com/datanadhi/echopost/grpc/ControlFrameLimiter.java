package com.datanadhi.echopost.grpc;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.DecoratingHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;

/// Counts the control frames that a client's frames cause, until they are sent: acknowledgements of
/// settings and pings, and resets. A client can cause thousands of them with one write, and read
/// none.
final class ControlFrameLimiter extends DecoratingHttp2ConnectionEncoder {
  private final ClientConnection client;

  ControlFrameLimiter(Http2ConnectionEncoder encoder, ClientConnection client) {
    super(encoder);
    this.client = client;
  }

  @Override
  public ChannelFuture writeSettingsAck(ChannelHandlerContext here, ChannelPromise promise) {
    return super.writeSettingsAck(here, counted(promise));
  }

  @Override
  public ChannelFuture writePing(
      ChannelHandlerContext here, boolean ack, long data, ChannelPromise promise) {
    return super.writePing(here, ack, data, counted(promise));
  }

  @Override
  public ChannelFuture writeRstStream(
      ChannelHandlerContext here, int stream, long error, ChannelPromise promise) {
    return super.writeRstStream(here, stream, error, counted(promise));
  }

  private ChannelPromise counted(ChannelPromise promise) {
    client.controlFrameQueued();
    return promise.unvoid().addListener(sent -> client.controlFrameSent());
  }
}
