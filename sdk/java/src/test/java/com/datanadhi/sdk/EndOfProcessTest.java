package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.JavaProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a process leaves when it ends. */
class EndOfProcessTest extends AbstractSdkTest {
  @Test
  void records_that_are_lost_at_the_end_of_a_process_are_reported_on_system_err() throws Exception {
    main.goDown();
    fallback.goDown();
    Files.writeString(directory.resolve("dropped"), "no directory");
    JavaProgram.Result result =
        JavaProgram.run(Losing.class, directory.toString(), main.url(), fallback.url());
    assertThat(result.status()).isZero();
    assertThat(result.errors()).contains("30 records are lost", directory + "/dropped");
  }

  /** Submits 30 records that cannot be delivered, and ends. */
  static final class Losing {
    public static void main(String[] args) {
      DataNadhi client =
          DataNadhi.open(
              DataNadhiConfiguration.builder(Path.of(args[0]))
                  .apiKey("test-key")
                  .serverHost(args[1])
                  .fallbackHost(args[2])
                  .echoPostDisabled(true)
                  .exitTimeout(Duration.ofMillis(100))
                  .build());
      // As at the end of a process: java.util.logging prints nothing any more.
      java.util.logging.LogManager.getLogManager().reset();
      submit(client, 0, 30);
    }
  }

  @Test
  void the_counters_add_up_after_records_are_lost() throws Exception {
    main.goDown();
    fallback.goDown();
    Files.writeString(directory.resolve("dropped"), "no directory");
    DataNadhi client =
        open(configuration().echoPostDisabled(true).exitTimeout(Duration.ofMillis(100)));
    submit(client, 0, 30);
    client.close();
    assertThat(client.submit(List.of(), Map.of())).isEqualTo(SubmitResult.CLOSED);
    Counters end = client.counters();
    assertThat(end.lost()).isEqualTo(30);
    assertThat(end.queueDepth()).isZero();
    assertThat(end.submitted())
        .isEqualTo(end.delivered() + end.droppedTotal() + end.lost() + end.queueDepth());
  }
}
