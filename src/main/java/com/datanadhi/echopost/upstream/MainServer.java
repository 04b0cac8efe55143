package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The main server, spoken to in HTTP/1.1 over Netty's codec.
///
/// Deliveries go one at a time over one connection that is kept alive; each probe makes a
/// connection of its own, since whether one can be made is what it asks. Redirects are not
/// followed; of an answer no more than 1 KiB of the body is kept and no more than 64 KiB is read.
/// [#probe] and [#deliver] may run side by side, each from one thread at a time.
public final class MainServer implements AutoCloseable {
  /// A probe that has no answer by then has failed.
  public static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

  /// A delivery that has no answer by then has failed.
  public static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(10);

  private static final AsciiString API_KEY = AsciiString.cached("DATANADHI-API-KEY");
  private static final AsciiString IDEMPOTENCY_KEY = AsciiString.cached("Idempotency-Key");
  private static final AsciiString USER_AGENT = AsciiString.cached("echopost");
  private static final ByteBuf BODY_START = constant("{\"pipelines\":");
  private static final ByteBuf BODY_MIDDLE = constant(",\"log_data\":");
  private static final ByteBuf BODY_END = constant("}");

  private final ServerUrl url;
  private final byte[] defaultApiKey;
  private final @Nullable String authorization;
  private final Connector connector;
  private final Clock clock;
  private final EventLoopGroup loop;
  private final AsciiString host;
  private @Nullable HttpConnection kept;

  /// @param url where it is
  /// @param defaultApiKey the key for records that have none; may be empty
  /// @param proxies how to get there
  /// @param trust whom to believe, for https
  public MainServer(
      ServerUrl url, String defaultApiKey, Proxies proxies, TrustStore trust, Clock clock) {
    Transport transport = Transport.ofThisSystem();
    this.url = url;
    this.defaultApiKey = defaultApiKey.getBytes(StandardCharsets.UTF_8);
    this.clock = clock;
    this.loop = transport.newEventLoop("upstream");
    this.connector = new Connector(url, proxies.proxyFor(url), trust, transport, loop);
    this.host = AsciiString.of(url.authority());
    this.authorization = url.userInfo() == null ? null : basic(url.userInfo());
  }

  static String basic(String userInfo) {
    return "Basic " + Base64.getEncoder().encodeToString(userInfo.getBytes(StandardCharsets.UTF_8));
  }

  /// Asks once whether the server is well.
  public Answer probe() throws InterruptedException {
    long deadline = clock.nanos() + PROBE_TIMEOUT.toNanos();
    HttpConnection connection;
    try {
      connection = connector.connect(deadline, clock);
    } catch (ConnectFailedException failed) {
      return new Answer.NoAnswer(String.valueOf(failed.getMessage()));
    }
    try (connection) {
      FullHttpRequest request = request(HttpMethod.GET, url.path(), Unpooled.EMPTY_BUFFER);
      request.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
      return exchange(connection, request, deadline);
    }
  }

  /// Hands records over in their order, each once the one before is answered, until `goOn` has had
  /// enough.
  ///
  /// @param goOn hears each answer and says whether to send the next record; called on another
  ///   thread, which must not block, and not after this has returned
  /// @throws InterruptedException when interrupted; whether the record that was under way has
  ///   arrived is then not known
  public void deliver(List<Delivery> deliveries, Predicate<Answer> goOn)
      throws InterruptedException {
    int answered = 0;
    long since = clock.nanos();
    boolean ended = false;
    while (!ended) {
      HttpConnection connection = kept;
      boolean reused = connection != null && connection.isUsable();
      if (connection == null || !reused) {
        try {
          connection = reconnect(since + DELIVERY_TIMEOUT.toNanos());
        } catch (ConnectFailedException failed) {
          boolean _ = goOn.test(new Answer.NoAnswer(String.valueOf(failed.getMessage())));
          return;
        }
      }
      Iterator<FullHttpRequest> requests =
          deliveries.stream().skip(answered).map(this::logRequest).iterator();
      DeliveryRun run = new DeliveryRun(connection, requests, goOn, reused, clock, since);
      ended = run.await();
      answered += run.answers();
      since = run.sinceNanos();
    }
  }

  private HttpConnection reconnect(long deadline)
      throws InterruptedException, ConnectFailedException {
    if (kept != null) {
      kept.close();
      kept = null;
    }
    HttpConnection fresh = connector.connect(deadline, clock);
    kept = fresh;
    return fresh;
  }

  private Answer exchange(HttpConnection connection, FullHttpRequest request, long deadline)
      throws InterruptedException {
    boolean done = false;
    try {
      HttpConnection.Response response =
          connection
              .exchange(request)
              .get(Math.max(0, deadline - clock.nanos()), TimeUnit.NANOSECONDS);
      done = true;
      return response.answer(clock.now());
    } catch (TimeoutException late) {
      return new Answer.NoAnswer("no answer in time");
    } catch (ExecutionException failed) {
      return new Answer.NoAnswer(Connector.describe(failed.getCause()));
    } finally {
      if (!done) {
        connection.close();
      }
    }
  }

  private FullHttpRequest logRequest(Delivery delivery) {
    ByteBuf body =
        Unpooled.wrappedBuffer(
            BODY_START.duplicate(),
            Unpooled.wrappedBuffer(delivery.pipelines()),
            BODY_MIDDLE.duplicate(),
            Unpooled.wrappedBuffer(delivery.jsonData()),
            BODY_END.duplicate());
    FullHttpRequest request = request(HttpMethod.POST, url.logPath(), body);
    byte[] apiKey = delivery.apiKey().length > 0 ? delivery.apiKey() : defaultApiKey;
    request
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
        .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes())
        .set(API_KEY, new AsciiString(apiKey, false))
        .set(IDEMPOTENCY_KEY, quoted(delivery.idempotencyKey()));
    return request;
  }

  private FullHttpRequest request(HttpMethod method, String path, ByteBuf body) {
    // Unchecked headers: what goes in was checked when it was accepted, and a key may hold bytes
    // above ASCII.
    HttpHeaders headers =
        DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    headers.set(HttpHeaderNames.HOST, host).set(HttpHeaderNames.USER_AGENT, USER_AGENT);
    if (authorization != null) {
      headers.set(HttpHeaderNames.AUTHORIZATION, authorization);
    }
    connector.addProxyHeaders(headers);
    return new DefaultFullHttpRequest(
        HttpVersion.HTTP_1_1,
        method,
        connector.target(path),
        body,
        headers,
        EmptyHttpHeaders.INSTANCE);
  }

  /// A Structured Field string (RFC 8941, section 3.3.3).
  private static String quoted(String key) {
    return '"' + key.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static ByteBuf constant(String ascii) {
    return Unpooled.unreleasableBuffer(
        Unpooled.copiedBuffer(ascii, StandardCharsets.US_ASCII).asReadOnly());
  }

  @Override
  public void close() {
    if (kept != null) {
      kept.close();
    }
    connector.close();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
