package com.datanadhi.hub.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.admin.HubLauncher.InvalidSettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DescriptorsTest {
  @ParameterizedTest
  @ValueSource(longs = {512, 1_024, 4_096, 20_000, Integer.MAX_VALUE})
  void connections_leave_the_descriptors_that_databases_and_log_need(long limit) throws Exception {
    Descriptors descriptors = Descriptors.of(limit);

    assertThat(limit - descriptors.http() - descriptors.grpc())
        .isGreaterThanOrEqualTo(Descriptors.DATABASES + 128);
    assertThat(descriptors.http()).isBetween(96, 8_192);
    assertThat(descriptors.grpc()).isBetween(32, 2_048);
  }

  @Test
  void with_enough_descriptors_the_bounds_are_those_of_the_contract() throws Exception {
    assertThat(Descriptors.of(20_000)).isEqualTo(new Descriptors(8_192, 2_048));
    assertThat(Descriptors.of(20_000).areShort()).isFalse();
    assertThat(Descriptors.of(4_096).areShort()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 64, 256, 511})
  void a_limit_that_serves_nobody_is_refused_with_what_to_do(long limit) {
    assertThatThrownBy(() -> Descriptors.of(limit))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("may open " + limit + " files")
        .hasMessageContaining("at least 512")
        .hasMessageContaining("ulimit -n");
  }

  @Test
  void the_limit_is_that_of_this_process() throws Exception {
    String limits = Files.readString(Path.of("/proc/self/limits"));

    assertThat(limits).containsPattern("Max open files +" + Descriptors.limit() + " ");
  }
}
