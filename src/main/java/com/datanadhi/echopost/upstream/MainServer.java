package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
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

  private final RequestEncoder requests;
  private final Connector connector;
  private final Clock clock;
  private final EventLoopGroup loop;
  private @Nullable HttpConnection kept;

  /// @param url where it is
  /// @param defaultApiKey the key for records that have none; may be empty
  /// @param proxies how to get there
  /// @param trust whom to believe, for https
  public MainServer(
      ServerUrl url, String defaultApiKey, ProxySettings proxies, TrustStore trust, Clock clock) {
    Transport transport = Transport.ofThisSystem();
    this.clock = clock;
    this.loop = transport.newEventLoop("upstream");
    this.connector = new Connector(url, proxies.proxyFor(url), trust, transport, loop);
    String headers = "host: " + url.authority() + "\r\nuser-agent: echopost\r\n";
    if (url.userInfo() != null) {
      headers += "authorization: " + basic(url.userInfo()) + "\r\n";
    }
    this.requests =
        new RequestEncoder(
            connector.target(url.path()),
            connector.target(url.logPath()),
            headers + connector.proxyHeaders(),
            defaultApiKey.getBytes(StandardCharsets.UTF_8));
  }

  static String basic(String userInfo) {
    return "Basic " + Base64.getEncoder().encodeToString(userInfo.getBytes(StandardCharsets.UTF_8));
  }

  /// Asks once whether the server is well.
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

  /// Hands records over in their order, each once the one before is answered, until `goOn` has had
  /// enough.
  ///
  /// @param goOn hears each answer and says whether to send the next record; called on another
  ///   thread, which must not block, and not after this has returned
  /// @throws InterruptedException when interrupted; whether the record that was under way has
  ///   arrived is then not known
  public void deliver(List<DeliveryRequest> deliveries, Predicate<ServerResponse> goOn)
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
          boolean _ = goOn.test(new ServerResponse.NoAnswer(String.valueOf(failed.getMessage())));
          return;
        }
      }
      SequentialDelivery run =
          new SequentialDelivery(
              connection,
              deliveries.listIterator(answered),
              requests::delivery,
              goOn,
              reused,
              clock,
              since);
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

  private ServerResponse exchange(HttpConnection connection, ByteBuf request, long deadline)
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
      return new ServerResponse.NoAnswer("no answer in time");
    } catch (ExecutionException failed) {
      return new ServerResponse.NoAnswer(Connector.writeTo(failed.getCause()));
    } finally {
      if (!done) {
        connection.close();
      }
    }
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
