package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The HTTP/1.1 client of the main server, on Netty's codec.
///
/// Deliveries use one keep-alive connection, one at a time; each probe makes a new connection,
/// because it tests whether one can be made. A connection with a response that is not final (see
/// [ServerResponse#isFinal]) is closed, so that the next attempt may reach another server of the
/// same name. After such a response the delivery continues on the connection of the probe that
/// succeeds: a balancer that takes turns would give each probe to a healthy server, and each
/// delivery to the sick one. Redirects are not followed. Of a response's body only a [BodyLimit] is
/// read.
///
/// [#probe] and a delivery may run at the same time, each in one thread at a time.
public final class MainServer implements DeliveryClient, AutoCloseable {
  /// A probe without a response after this time has failed.
  public static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

  // Servers and what is between close idle connections after some seconds or minutes.
  private static final Duration LONGEST_IDLE = Duration.ofSeconds(5);

  private final RequestEncoder requests;
  private final Connector connector;
  private final Clock clock;
  private final RandomGenerator random = new SplittableRandom();
  private final EventLoopGroup loop;
  private @Nullable HttpConnection deliveryConnection;
  private long lastDeliveryNanos;

  // A connection that the last probe found well, for the next delivery.
  private final AtomicReference<@Nullable HttpConnection> probed = new AtomicReference<>();
  private volatile boolean deliveryFailed;

  private final OfferReader offers = new OfferReader();
  private final AtomicLong successfulProbes = new AtomicLong();

  /// @param url its URL
  /// @param defaultApiKey the API key of records that have none; may be empty
  /// @param proxies the proxies by the environment
  /// @param trust the certificate authorities for https
  public MainServer(
      ServerUrl url, String defaultApiKey, ProxySettings proxies, TrustStore trust, Clock clock) {
    Transport transport = Transport.ofThisSystem();
    this.clock = clock;
    this.loop = transport.newEventLoop("upstream");
    this.lastDeliveryNanos = clock.nanos();
    this.connector =
        new Connector(
            url, proxies.proxyFor(url), trust, transport, loop, SequentialDelivery.TIMEOUT, offers);
    // The body of a response is for people to read.
    String headers =
        "host: " + url.authority() + "\r\nuser-agent: echopost\r\naccept-encoding: identity\r\n";
    if (url.userInfo() != null) {
      headers += "authorization: " + Authority.basicCredentials(url.userInfo()) + "\r\n";
    }
    if (proxies.refusesProxyFor(url)) {
      Events.warning(
          EventNames.PROXY_IGNORED,
          "reason",
          "HTTP_PROXY is not used, because REQUEST_METHOD is set: in a CGI program, the sender of a"
              + " request can set HTTP_PROXY",
          "action",
          "unset REQUEST_METHOD for the agent to use the proxy, or HTTP_PROXY to omit this"
              + " warning");
    }
    this.requests =
        new RequestEncoder(
            connector.target(url.path()),
            connector.target(url.logPath()),
            headers + connector.proxyHeaders(),
            defaultApiKey.getBytes(StandardCharsets.UTF_8));
  }

  /// Sends one probe and waits for its response.
  public ServerResponse probe() throws InterruptedException {
    // A server that serves one connection at a time could not answer this probe.
    closeProbed();
    HttpConnection connection;
    long deadline;
    try {
      connector.prepare();
      deadline = clock.nanos() + PROBE_TIMEOUT.toNanos();
      connection = connector.connect(deadline, clock);
    } catch (ConnectFailedException failed) {
      return new ServerResponse.NoAnswer(String.valueOf(failed.getMessage()));
    }
    boolean keep = deliveryFailed;
    boolean kept = false;
    try {
      ServerResponse response = exchange(connection, requests.probe(!keep), deadline);
      if (keep && response.isFinal() && connection.isUsable() && random.nextBoolean()) {
        // A balancer may also take turns for each request: with a constant number of probes
        // between two deliveries, all of these could reach the same server. Its response does not
        // count, since that server may be the sick one.
        var _ = exchange(connection, requests.probe(false), deadline);
      }
      kept = keep && response.isFinal() && connection.isUsable();
      if (kept) {
        probed.set(connection);
      } else if (!response.isFinal()) {
        connector.avoidAddress();
      }
      if (response instanceof ServerResponse.Answered answered && answered.isSuccess()) {
        long _ = successfulProbes.incrementAndGet();
      }
      return response;
    } finally {
      if (!kept) {
        connection.close();
      }
    }
  }

  private void closeProbed() {
    HttpConnection unused = probed.getAndSet(null);
    if (unused != null) {
      unused.close();
    }
  }

  @Override
  public void deliver(List<DeliveryRequest> deliveries, Predicate<ServerResponse> continueAfter)
      throws InterruptedException {
    send(deliveries, requests::delivery, BodyLimit.EXCERPT, continueAfter);
  }

  @Override
  public EncodedBatch encode(List<DeliveryRequest> batch, boolean gzip) {
    return new BatchRequest(requests.batch(batch, gzip));
  }

  private final class BatchRequest implements EncodedBatch {
    private final ByteBuf request;

    BatchRequest(ByteBuf request) {
      this.request = request;
    }

    @Override
    public int length() {
      return request.readableBytes();
    }

    @Override
    public ServerResponse deliver() throws InterruptedException {
      List<ServerResponse> responses = new ArrayList<>(1);
      send(List.of(request), ByteBuf::retainedDuplicate, BodyLimit.BATCH_ANSWER, responses::add);
      return responses.getFirst();
    }

    @Override
    public void close() {
      boolean _ = request.release();
    }
  }

  @Override
  public Offer offer() {
    return offers.offer();
  }

  @Override
  public long successfulProbes() {
    return successfulProbes.get();
  }

  /// Sends requests as [DeliveryClient#deliver] does.
  ///
  /// @param encoder encodes a request just before it is sent; called again if it is sent over
  ///   another connection
  private <T> void send(
      List<T> deliveries,
      Function<T, ByteBuf> encoder,
      BodyLimit bodyLimit,
      Predicate<ServerResponse> continueAfter)
      throws InterruptedException {
    int responses = 0;
    long since = clock.nanos();
    if (since - lastDeliveryNanos > LONGEST_IDLE.toNanos()) {
      // A peer that is gone, or a firewall between, may have forgotten the connection without a
      // word, and the first record on it would wait for the timeout.
      closeDelivery();
    }
    Predicate<ServerResponse> observer =
        response -> {
          deliveryFailed = !response.isFinal();
          if (deliveryFailed) {
            connector.avoidAddress();
          }
          return continueAfter.test(response);
        };
    boolean ended = false;
    while (!ended) {
      HttpConnection connection = deliveryConnection;
      boolean reused = connection != null && connection.isUsable();
      if (connection == null || !reused) {
        closeDelivery();
        connection = probed.getAndSet(null);
        reused = connection != null && connection.isUsable();
        try {
          if (connection == null || !reused) {
            connection = connector.connect(since + SequentialDelivery.TIMEOUT.toNanos(), clock);
          }
        } catch (ConnectFailedException failed) {
          boolean _ =
              observer.test(new ServerResponse.NoAnswer(String.valueOf(failed.getMessage())));
          return;
        }
        deliveryConnection = connection;
      }
      SequentialDelivery<T> delivery =
          new SequentialDelivery<>(
              connection,
              deliveries.listIterator(responses),
              encoder,
              bodyLimit,
              observer,
              reused,
              clock,
              since);
      ended = delivery.await();
      responses += delivery.responses();
      since = delivery.sinceNanos();
      lastDeliveryNanos = clock.nanos();
    }
  }

  private void closeDelivery() {
    if (deliveryConnection != null) {
      deliveryConnection.close();
      deliveryConnection = null;
    }
  }

  private ServerResponse exchange(HttpConnection connection, ByteBuf request, long deadline)
      throws InterruptedException {
    boolean done = false;
    try {
      HttpConnection.Response response =
          connection
              .exchange(request, BodyLimit.EXCERPT)
              .get(Math.max(0, deadline - clock.nanos()), TimeUnit.NANOSECONDS);
      done = true;
      return response.toServerResponse(clock.now());
    } catch (TimeoutException late) {
      return new ServerResponse.NoAnswer(FailureText.noResponse(connection.peer(), PROBE_TIMEOUT));
    } catch (ExecutionException failed) {
      return new ServerResponse.NoAnswer(
          FailureText.exchange(connection.peer(), failed.getCause()));
    } finally {
      if (!done) {
        connection.close();
      }
    }
  }

  @Override
  public void close() {
    closeDelivery();
    closeProbed();
    connector.close();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
