package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.micrometer.DataNadhiMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

class MetricsTest extends AbstractSdkTest {
  private static List<Object> selfContained() {
    List<Object> list = new ArrayList<>();
    list.add(list);
    return list;
  }

  @Test
  void counters_are_exported_over_jmx_and_to_micrometer() throws Exception {
    main.answer(422);
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 2);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    main.answer(200);
    submit(client, 2, 5);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    ObjectName name =
        new ObjectName(
            "com.datanadhi.sdk:type=DataNadhi,directory=" + ObjectName.quote(directory.toString()));
    assertThat(beans.getAttribute(name, "Submitted")).isEqualTo(5L);
    assertThat(beans.getAttribute(name, "DeliveredToMainServer")).isEqualTo(3L);
    assertThat(beans.getAttribute(name, "QueueDepth")).isEqualTo(0);
    assertThat(beans.getAttribute(name, "QueueBytes")).isEqualTo(0L);
    assertThat(client.redeliver().delivered()).isEqualTo(2);
    assertThat(beans.getAttribute(name, "Redelivered")).isEqualTo(2L);
    assertThat(beans.getAttribute(name, "Expired")).isEqualTo(0L);
    assertThat(beans.getAttribute(name, "EchoPostStatus")).isEqualTo("DISABLED");

    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    new DataNadhiMetrics(client).bindTo(registry);
    assertThat(registry.get("datanadhi.records.submitted").functionCounter().count()).isEqualTo(5);
    assertThat(
            registry
                .get("datanadhi.records.delivered")
                .tag("way", "main_server")
                .functionCounter()
                .count())
        .isEqualTo(3);
    assertThat(
            registry
                .get("datanadhi.records.dropped")
                .tag("reason", "primary_failed")
                .functionCounter()
                .count())
        .isEqualTo(2);
    assertThat(client.submit(PIPELINES, Map.of("seq", 5, "self", selfContained())))
        .isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.submit(PIPELINES, Map.of("seq", 6, "x", "x".repeat(2 << 20))))
        .isEqualTo(SubmitResult.ACCEPTED);
    assertThat(beans.getAttribute(name, "ReplacedValues")).isEqualTo(1L);
    assertThat(beans.getAttribute(name, "Truncated")).isEqualTo(1L);
    for (String counter : List.of("replaced_values", "truncated")) {
      assertThat(registry.get("datanadhi.records." + counter).functionCounter().count())
          .isEqualTo(1);
    }
    assertThat(registry.get("datanadhi.records.redelivered").functionCounter().count())
        .isEqualTo(2);
    assertThat(registry.get("datanadhi.records.expired").functionCounter().count()).isZero();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(registry.get("datanadhi.queue.bytes").gauge().value()).isZero();
    assertThat(registry.get("datanadhi.echopost").tag("status", "DISABLED").gauge().value())
        .isEqualTo(1);

    DataNadhi second = open(configuration().echoPostDisabled(true));
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() ->
            assertThat(beans.queryNames(new ObjectName("com.datanadhi.sdk:*"), null))
                .filteredOn(found -> found.toString().contains(directory.toString()))
                .hasSize(2));
    second.close();
    client.close();
    Set<ObjectName> left = beans.queryNames(new ObjectName("com.datanadhi.sdk:*"), null);
    assertThat(left).noneMatch(found -> found.toString().contains(directory.toString()));
  }

  @Test
  void meters_of_a_shared_client_are_those_of_its_successor_when_it_was_closed() throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s'}\nechopost: {disable: true}".formatted(main.url()));
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    DataNadhi first = DataNadhi.shared(directory);
    new DataNadhiMetrics(first).bindTo(registry);
    submit(first, 0, 3);
    assertThat(submittedIn(registry)).isEqualTo(3);
    first.close();
    DataNadhi second = closeAfterTest(DataNadhi.shared(directory));
    submit(second, 3, 4);
    assertThat(submittedIn(registry)).isEqualTo(1);
    assertThat(registry.get("datanadhi.echopost").tag("status", "DISABLED").gauge().value())
        .isEqualTo(1);
  }

  @Test
  void meters_of_an_earlier_client_are_replaced() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    DataNadhi first = open(configuration().echoPostDisabled(true));
    new DataNadhiMetrics(first).bindTo(registry);
    submit(first, 0, 3);
    first.close();
    DataNadhi second = open(configuration().echoPostDisabled(true));
    new DataNadhiMetrics(second).bindTo(registry);
    submit(second, 3, 4);
    assertThat(submittedIn(registry)).isEqualTo(1);
  }

  private static double submittedIn(SimpleMeterRegistry registry) {
    return registry.get("datanadhi.records.submitted").functionCounter().count();
  }
}
