package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.thread.ProcessEnd;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.testkit.JavaProgram;
import jakarta.annotation.PreDestroy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;

/** What an application logs after its end has begun. */
class ShutdownLoggingTest extends AbstractSdkTest {
  @BeforeEach
  void configure() throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s', fallback_host: '%s'}\nechopost: {disable: true}\nasync: {workers: 1, exit_timeout: 30}"
            .formatted(main.url(), fallback.url()));
    Files.writeString(
        directory.resolve("logback.xml"),
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
          </appender>
          <appender name="ASYNC" class="ch.qos.logback.classic.AsyncAppender">
            <appender-ref ref="DN"/>
          </appender>
          <logger name="shop" level="INFO"><appender-ref ref="ASYNC"/></logger>
          <root level="OFF"/>
        </configuration>
        """
            .formatted(directory));
  }

  private void run(Class<?> program) throws Exception {
    JavaProgram.Result result =
        JavaProgram.run(program, directory.toString(), main.url(), fallback.url());
    assertThat(result.status()).describedAs(result.errors()).isZero();
  }

  private List<String> messages() {
    return main.deliveries().stream()
        .map(d -> d.body().getAsJsonObject("log_data").get("message").getAsString())
        .toList();
  }

  private static List<String> expected(int last) {
    List<String> messages = new ArrayList<>(List.of("start"));
    IntStream.range(0, last).forEach(i -> messages.add("last " + i));
    return messages;
  }

  /** The client is open, and what was logged before is delivered. */
  private static void logFirst(Logger logger, Path directory) throws Exception {
    logger.info("start");
    assertThat(DataNadhi.shared(directory).flush(Duration.ofSeconds(30))).isTrue();
  }

  @Test
  void what_a_shutdown_hook_logs_for_a_second_is_delivered() throws Exception {
    run(LoggingHook.class);
    assertThat(messages()).containsExactlyElementsOf(expected(10));
  }

  static final class LoggingHook {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      System.setProperty("logback.configurationFile", directory.resolve("logback.xml").toString());
      Logger logger = LoggerFactory.getLogger("shop");
      logFirst(logger, directory);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> {
                for (int i = 0; i < 10; i++) {
                  pause(100);
                  logger.info("last {}", i);
                }
              }));
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  @Test
  void what_a_pre_destroy_method_of_spring_logs_is_delivered() throws Exception {
    run(SpringBoot.class);
    assertThat(messages()).containsExactlyElementsOf(expected(5));
  }

  /** An application with Spring Boot, which ends when its main method returns. */
  public static class SpringBoot {
    private final Logger logger = LoggerFactory.getLogger("shop");

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      SpringApplication application = new SpringApplication(SpringBoot.class);
      application.setWebApplicationType(WebApplicationType.NONE);
      application.setDefaultProperties(
          Map.of(
              "spring.main.banner-mode",
              "off",
              "logging.config",
              directory.resolve("logback.xml").toString()));
      var unused = application.run();
      logFirst(LoggerFactory.getLogger("shop"), directory);
    }

    @PreDestroy
    void logLast() {
      for (int i = 0; i < 5; i++) {
        pause(50);
        logger.info("last {}", i);
      }
    }
  }

  @Test
  void what_is_submitted_in_a_shutdown_hook_is_delivered() throws Exception {
    run(SubmittingHook.class);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 10));
  }

  static final class SubmittingHook {
    public static void main(String[] args) throws Exception {
      DataNadhi client =
          DataNadhi.open(
              DataNadhiConfiguration.builder(Path.of(args[0]))
                  .apiKey("test-key")
                  .serverHost(args[1])
                  .fallbackHost(args[2])
                  .echoPostDisabled(true)
                  .workers(1)
                  .build());
      submit(client, 0, 5);
      assertThat(client.flush(Duration.ofSeconds(30))).isTrue();
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> {
                pause(300);
                submit(client, 5, 10);
                // As many applications do in their own hook: it must not wait for the SDK's.
                client.close();
              }));
    }
  }

  @Test
  void a_thread_of_the_application_that_cannot_be_looked_at_does_not_prevent_the_delivery()
      throws Exception {
    main.hang();
    fallback.goDown();
    run(OddHook.class);
    assertThat(droppedSeqs()).isEqualTo(range(0, 5));
  }

  /** A client without EchoPost that gives up after 300 ms at the end of the process. */
  private static DataNadhi openWithShortExit(String... args) {
    return openWithExit(Duration.ofMillis(300), args);
  }

  private static DataNadhi openWithExit(Duration timeout, String... args) {
    return DataNadhi.open(
        DataNadhiConfiguration.builder(Path.of(args[0]))
            .apiKey("test-key")
            .serverHost(args[1])
            .fallbackHost(args[2])
            .echoPostDisabled(true)
            .exitTimeout(timeout)
            .build());
  }

  static final class OddHook {
    public static void main(String[] args) {
      DataNadhi client = openWithShortExit(args);
      submit(client, 0, 5);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> pause(200)) {
                @Override
                public StackTraceElement[] getStackTrace() {
                  throw new IllegalStateException();
                }
              });
    }
  }

  @Test
  void a_buffer_that_cannot_be_emptied_does_not_keep_others() throws Exception {
    JavaProgram.Result result = JavaProgram.run(Buffers.class);
    assertThat(result.status()).isZero();
    assertThat(result.errors().lines().filter(line -> line.equals("emptied"))).hasSize(3);
  }

  static final class Buffers {
    public static void main(String[] args) {
      CountDownLatch emptied = new CountDownLatch(3);
      for (int i = 0; i < 3; i++) {
        int number = i;
        ProcessEnd.addBuffer(() -> {
          throw new IllegalStateException("buffer " + number);
        });
        ProcessEnd.addBuffer(() -> pause(Duration.ofMinutes(10).toMillis() + number));
        ProcessEnd.addBuffer(() -> {
          System.err.println("emptied");
          emptied.countDown();
        });
      }
      boolean unused =
          ProcessEnd.addHook(
              SdkThread.named(
                  "hook",
                  () -> {
                    try {
                      ProcessEnd.awaitLastRecords(Duration.ofSeconds(2));
                      emptied.await(30, TimeUnit.SECONDS);
                    } catch (InterruptedException unexpected) {
                      throw new IllegalStateException(unexpected);
                    }
                  }));
    }
  }

  @Test
  void a_hook_that_does_not_end_delays_the_end_of_the_process_by_the_exit_time_out_at_most()
      throws Exception {
    main.goDown();
    fallback.goDown();
    run(EndlessHook.class);
    assertThat(droppedSeqs()).isEqualTo(range(0, 5));
  }

  static final class EndlessHook {
    public static void main(String[] args) throws Exception {
      DataNadhi client = openWithShortExit(args);
      submit(client, 0, 5);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> {
                while (!client.isClosed()) {
                  pause(10);
                }
              }));
    }
  }

  @Test
  void every_hook_is_awaited_however_long_another_takes() throws Exception {
    run(LongHooks.class);
    assertThat(seqs(main.deliveries())).containsExactlyInAnyOrderElementsOf(range(0, 10));
  }

  static final class LongHooks {
    public static void main(String[] args) {
      DataNadhi client = openWithExit(Duration.ofSeconds(30), args);
      for (int i = 0; i < 10; i++) {
        int seq = i;
        Runtime.getRuntime()
            .addShutdownHook(
                new Thread(() -> {
                  pause(200 * (seq + 1));
                  submit(client, seq, seq + 1);
                }));
      }
    }
  }

  @Test
  void an_idle_thread_of_a_pool_does_not_delay_the_end_of_the_process() throws Exception {
    run(IdlePool.class);
    assertThat(seqs(main.deliveries())).hasSize(5);
  }

  static final class IdlePool {
    public static void main(String[] args) throws Exception {
      DataNadhi client = openWithExit(Duration.ofMinutes(5), args);
      ExecutorService pool = Executors.newFixedThreadPool(1);
      pool.submit(() -> submit(client, 0, 5)).get();
      System.exit(0);
    }
  }
}
