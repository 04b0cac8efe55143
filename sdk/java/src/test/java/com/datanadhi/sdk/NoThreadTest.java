package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.sdk.internal.http.Downtime;
import com.datanadhi.sdk.internal.http.HttpTransports;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.http.ServerHealth;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.JavaProgram;
import com.datanadhi.sdk.testkit.ThreadLimit;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A process that can make no thread for a while delivers its records afterwards. */
class NoThreadTest extends AbstractSdkTest {
  /** What is done in a process of its own, to which a test gives the servers' URLs. */
  enum Scenario {
    A_SERVER_IS_DOWN {
      @Override
      void run(DataNadhiConfiguration configuration) throws Exception {
        ServerHealth health = health(configuration);
        ThreadLimit.atMost(0);
        health.markDown(new Downtime("for a test", false, Duration.ZERO));
        assertThat(health.isUp()).isFalse();
        ThreadLimit.remove();
        await().atMost(TIME_LIMIT).until(health::isUp);
      }
    },
    A_PROBE_NEEDS_A_THREAD {
      @Override
      void run(DataNadhiConfiguration configuration) throws Exception {
        ServerHealth health = health(configuration);
        // For the thread that probes, and not for that of a request.
        ThreadLimit.atMost(1);
        health.markDown(new Downtime("for a test", false, Duration.ofMillis(100)));
        await().pollInSameThread().atMost(TIME_LIMIT).until(health::isUp);
        ThreadLimit.remove();
        health.markDown(new Downtime("for a test", false, Duration.ofMillis(100)));
        await().atMost(TIME_LIMIT).until(health::isUp);
      }
    },
    A_LISTENER_IS_TO_BE_TOLD {
      @Override
      void run(DataNadhiConfiguration configuration) throws Exception {
        List<DeliveryFailure> told = new CopyOnWriteArrayList<>();
        try (DataNadhi client =
            DataNadhi.open(
                configuration.toBuilder()
                    .echoPostMode(EchoPostMode.NEVER)
                    .failureListener(told::add)
                    .beforeSend((pipelines, payload) -> {
                      if (payload.toString().equals("{seq=0}")) {
                        return payload;
                      }
                      throw new IllegalStateException("for a test");
                    })
                    .build())) {
          submit(client, 0, 1);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          ThreadLimit.atMost(0);
          submit(client, 1, 2);
          ThreadLimit.remove();
          await().atMost(TIME_LIMIT).until(() -> told.size() == 1);
          submit(client, 2, 3);
          await().atMost(TIME_LIMIT).until(() -> told.size() == 2);
        }
      }
    },
    A_CLIENT_IS_CLOSED {
      @Override
      void run(DataNadhiConfiguration configuration) throws Exception {
        DataNadhi client = DataNadhi.open(configuration);
        submit(client, 0, 10);
        assertThat(client.flush(TIME_LIMIT)).isTrue();
        ThreadLimit.atMost(0);
        submit(client, 10, 20);
        client.close();
        ThreadLimit.remove();
        Counters end = client.counters();
        assertThat(end.delivered() + end.droppedTotal()).isEqualTo(20);
        assertThat(end.submitted()).isEqualTo(20);
        assertThat(end.queueDepth()).isZero();
      }
    },
    A_CLIENT_CANNOT_BE_OPENED {
      @Override
      void run(DataNadhiConfiguration configuration) throws Exception {
        ThreadLimit.atMost(0);
        assertThatThrownBy(() -> DataNadhi.open(configuration))
            .isInstanceOf(OutOfMemoryError.class);
        ThreadLimit.remove();
        deliverWith(DataNadhi.open(configuration));
      }
    },
    A_CLIENT_STARTS {
      @Override
      void run(DataNadhiConfiguration configuration) throws Exception {
        for (int threads = 1; threads <= 10; threads++) {
          ThreadLimit.atMost(threads);
          DataNadhi client = DataNadhi.open(configuration);
          submit(client, 0, 5);
          // As long as the start takes at least, if it has all its threads.
          await().pollInSameThread().pollDelay(Duration.ofMillis(300)).until(() -> true);
          ThreadLimit.remove();
          deliverWith(client);
        }
      }
    };

    abstract void run(DataNadhiConfiguration configuration) throws Exception;

    static ServerHealth health(DataNadhiConfiguration configuration) {
      RateLimitedLog log = new RateLimitedLog(Clock.system());
      URI server = configuration.serverHost();
      HttpTransports http = new HttpTransports(configuration, SdkThread.pool("test"));
      return new ServerHealth(
          "main server",
          new ServerClient(http.to(server), server, "test-key"),
          Duration.ofMillis(10),
          log,
          new FailureReports(Optional.empty(), log),
          Clock.system(),
          Waiter.system());
    }

    static void deliverWith(DataNadhi client) throws Exception {
      submit(client, 0, 5);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      assertThat(client.counters().echoPost().status())
          .isEqualTo(EchoPostState.Status.NOT_INSTALLED);
      client.close();
      Counters end = client.counters();
      assertThat(end.deliveredToMainServer()).isEqualTo(end.submitted()).isPositive();
    }
  }

  static final class Application {
    public static void main(String[] args) throws Exception {
      Scenario.valueOf(args[0])
          .run(
              DataNadhiConfiguration.builder(Path.of(args[1]))
                  .apiKey("test-key")
                  .serverHost(args[2])
                  .fallbackHost(args[3])
                  .echoPostMode(EchoPostMode.ONLY_IF_PRESENT)
                  .build());
      System.exit(0);
    }
  }

  @ParameterizedTest
  @EnumSource
  void it_goes_on_when_there_are_threads_again(Scenario scenario) throws Exception {
    assumeTrue(ThreadLimit.isPossible());
    JavaProgram.Result result =
        JavaProgram.run(
            Application.class,
            Map.of("JAVA_TOOL_OPTIONS", ThreadLimit.OPTION),
            scenario.name(),
            directory.toString(),
            main.url(),
            fallback.url());
    assertThat(result.status()).describedAs(result.errors()).isZero();
  }
}
