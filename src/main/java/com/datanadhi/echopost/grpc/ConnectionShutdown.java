package com.datanadhi.echopost.grpc;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The ways in which a connection ends. Confined to the event loop.
///
/// To end without failing a call, a server sends a GOAWAY that allows any stream, then a ping; the
/// client's acknowledgement of that ping means that it has read the GOAWAY, and that no later stream
/// will come; then a second GOAWAY names the last stream (RFC 9113, 6.8).
///
///     OPEN ── goAway() ──▶ GOAWAY_SENT ── ping acknowledged ──▶ GOAWAY_ACKNOWLEDGED ── 50 ms ──▶ closed with its last call
final class ConnectionShutdown {
  private enum Stage {
    OPEN,
    GOAWAY_SENT,
    GOAWAY_ACKNOWLEDGED
  }

  /// Rust's h2 sends the acknowledgement ahead of calls that it had started before it read the
  /// GOAWAY.
  private static final long LAST_CALLS_MILLIS = 50;

  private static final long CLOSE_AFTER_ERROR_SECONDS = 1;

  /// An arbitrary number (`echopost` in ASCII) that distinguishes the acknowledgement of this ping
  /// from those of other pings.
  private static final long PING_DATA = 0x6563686F706F7374L;

  private Stage stage = Stage.OPEN;
  private @Nullable Http2ConnectionHandler handler;
  private @Nullable ChannelHandlerContext context;

  /// Sets the handler by which the connection can be ended from now on.
  void handlerAdded(Http2ConnectionHandler added, ChannelHandlerContext itsContext) {
    handler = added;
    context = itsContext;
  }

  private Http2ConnectionHandler handler() {
    return Objects.requireNonNull(handler, "the handler is not in its pipeline yet");
  }

  private ChannelHandlerContext context() {
    return Objects.requireNonNull(context, "the handler is not in its pipeline yet");
  }

  /// Asks the client to start no more calls; does nothing if this was called before. Calls that
  /// have started are answered; then the connection is closed.
  void goAway() {
    if (stage == Stage.OPEN && context().channel().isActive()) {
      stage = Stage.GOAWAY_SENT;
      sendGoAway(Integer.MAX_VALUE);
      var _ = handler().encoder().writePing(context(), false, PING_DATA, context().newPromise());
      handler().flush(context());
    }
  }

  /// The client has acknowledged a ping. Only the first acknowledgement counts.
  void pingAcknowledged(long data) {
    if (data == PING_DATA && stage == Stage.GOAWAY_SENT) {
      stage = Stage.GOAWAY_ACKNOWLEDGED;
      var _ =
          context().executor().schedule(this::closeAfterLastCall, LAST_CALLS_MILLIS, MILLISECONDS);
    }
  }

  private void closeAfterLastCall() {
    sendGoAway(handler().connection().remote().lastStreamCreated());
    // Netty closes it once the open streams are closed.
    var _ = context().channel().close();
  }

  private void sendGoAway(int lastStream) {
    var _ =
        handler()
            .goAway(
                context(),
                lastStream,
                Http2Error.NO_ERROR.code(),
                Unpooled.EMPTY_BUFFER,
                context().newPromise());
  }

  /// Whether the client has acknowledged the GOAWAY: the connection is then closed with its last
  /// call, and what is not flushed is lost.
  boolean isGoAwayAcknowledged() {
    return stage == Stage.GOAWAY_ACKNOWLEDGED;
  }

  /// Closes the connection with all its calls; responses that were written are sent.
  void closeNow() {
    handler().flush(context());
    // The channel's own close() would wait for open calls.
    var _ = context().close();
  }

  /// Closes the connection after an error of the connection, for which Netty has sent a GOAWAY,
  /// even if the client does not read it.
  void closeAfterError() {
    var _ = context().executor().schedule(this::closeNow, CLOSE_AFTER_ERROR_SECONDS, SECONDS);
  }

  /// Closes the connection because of a bug or a lack of memory, and logs it.
  void fail(Throwable cause) {
    log(cause);
    closeNow();
  }

  /// Logs an unexpected failure.
  static void log(Throwable cause) {
    Events.severe(
        EventNames.CALL_FAILED,
        cause,
        "action",
        "report this as a bug; every record that was acknowledged is on disk");
  }
}
