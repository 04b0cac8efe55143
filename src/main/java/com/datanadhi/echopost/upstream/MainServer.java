package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The HTTP/1.1 client of the main server, on Netty's codec.
///
/// Deliveries use one keep-alive connection, one at a time; each probe makes a new connection,
/// because it tests whether one can be made. Redirects are not followed. Of a response's body at
/// most 1 KiB is kept and at most 64 KiB is read.
///
/// [#probe] and [#deliver] may run at the same time, each in one thread at a time.
public final class MainServer implements AutoCloseable {
  /// A probe without a response after this time has failed.
  public static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

  private final RequestEncoder requests;
  private final Connector connector;
  private final Clock clock;
  private final EventLoopGroup loop;
  private @Nullable HttpConnection deliveryConnection;

  /// @param url its URL
  /// @param defaultApiKey the API key of records that have none; may be empty
  /// @param proxies the proxies by the environment
  /// @param trust the certificate authorities for https
  public MainServer(
      ServerUrl url, String defaultApiKey, ProxySettings proxies, TrustStore trust, Clock clock) {
    Transport transport = Transport.ofThisSystem();
    this.clock = clock;
    this.loop = transport.newEventLoop("upstream");
    this.connector =
        new Connector(
            url, proxies.proxyFor(url), trust, transport, loop, SequentialDelivery.TIMEOUT);
    String headers = "host: " + url.authority() + "\r\nuser-agent: echopost\r\n";
    if (url.userInfo() != null) {
      headers += "authorization: " + Authority.basicCredentials(url.userInfo()) + "\r\n";
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
    long deadline = clock.nanos() + PROBE_TIMEOUT.toNanos();
    HttpConnection connection;
    try {
      connection = connector.connect(deadline, clock);
    } catch (ConnectFailedException failed) {
      return new ServerResponse.NoAnswer(String.valueOf(failed.getMessage()));
    }
    try (connection) {
      return exchange(connection, requests.probe(), deadline);
    }
  }

  /// Delivers records in order, each after the response to the one before, until `continueAfter`
  /// returns false.
  ///
  /// @param continueAfter takes each response and returns whether to send the next record; called
  ///   on another thread, must not block, and is not called after this method has returned
  /// @throws InterruptedException when interrupted; the record whose response was awaited may have
  ///   arrived or not
  public void deliver(List<DeliveryRequest> deliveries, Predicate<ServerResponse> continueAfter)
      throws InterruptedException {
    int responses = 0;
    long since = clock.nanos();
    boolean ended = false;
    while (!ended) {
      HttpConnection connection = deliveryConnection;
      boolean reused = connection != null && connection.isUsable();
      if (connection == null || !reused) {
        try {
          connection = reconnect(since + SequentialDelivery.TIMEOUT.toNanos());
        } catch (ConnectFailedException failed) {
          boolean _ =
              continueAfter.test(new ServerResponse.NoAnswer(String.valueOf(failed.getMessage())));
          return;
        }
      }
      SequentialDelivery delivery =
          new SequentialDelivery(
              connection,
              deliveries.listIterator(responses),
              requests::delivery,
              continueAfter,
              reused,
              clock,
              since);
      ended = delivery.await();
      responses += delivery.responses();
      since = delivery.sinceNanos();
    }
  }

  private HttpConnection reconnect(long deadline)
      throws InterruptedException, ConnectFailedException {
    if (deliveryConnection != null) {
      deliveryConnection.close();
      deliveryConnection = null;
    }
    HttpConnection connection = connector.connect(deadline, clock);
    deliveryConnection = connection;
    return connection;
  }

  private ServerResponse exchange(HttpConnection connection, ByteBuf request, long deadline)
      throws InterruptedException {
    boolean done = false;
    try {
      HttpConnection.Response response =
          connection
              .exchange(request)
              .get(Math.max(0, deadline - clock.nanos()), TimeUnit.NANOSECONDS);
      done = true;
      return response.toServerResponse(clock.now());
    } catch (TimeoutException late) {
      return new ServerResponse.NoAnswer("no response in time");
    } catch (ExecutionException failed) {
      return new ServerResponse.NoAnswer(FailureText.of(failed.getCause()));
    } finally {
      if (!done) {
        connection.close();
      }
    }
  }

  @Override
  public void close() {
    if (deliveryConnection != null) {
      deliveryConnection.close();
    }
    connector.close();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
