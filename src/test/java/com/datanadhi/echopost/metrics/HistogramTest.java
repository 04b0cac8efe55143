package com.datanadhi.echopost.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HistogramTest {
  @Test
  void a_value_counts_in_each_bucket_whose_bound_it_does_not_exceed() {
    Histogram histogram = Histogram.ofNumbers(8);
    for (long value : new long[] {1, 2, 3, 8, 9}) {
      histogram.observe(value);
    }
    assertThat(histogram.cumulative()).containsExactly(1, 2, 3, 4, 5);
    assertThat(histogram.bound(3)).isEqualTo(8);
    assertThat(histogram.sum()).isEqualTo(23);
  }

  @Test
  void durations_are_observed_in_nanoseconds_and_exposed_in_seconds() {
    Histogram histogram = Histogram.ofDurations(1, 2, 5);
    histogram.observe(200_000);
    assertThat(histogram.bound(0)).isEqualTo(0.0001);
    assertThat(histogram.bound(1)).isEqualTo(0.0002);
    assertThat(histogram.bound(17)).isEqualTo(50);
    assertThat(histogram.cumulative()).startsWith(0, 1, 1).hasSize(19);
    assertThat(histogram.sum()).isEqualTo(0.0002);
  }

  @Test
  void without_values_there_is_no_quantile() {
    assertThat(Histogram.ofNumbers(8).quantile(0.99)).isNaN();
  }

  @Test
  void beyond_the_last_bound_a_quantile_is_that_bound() {
    Histogram histogram = Histogram.ofNumbers(8);
    histogram.observe(1_000);
    assertThat(histogram.quantile(0.99)).isEqualTo(8);
  }

  @Test
  void a_quantile_lies_in_the_bucket_of_the_true_one() {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      Histogram histogram = Histogram.ofNumbers(1 << 20);
      long[] values = new long[1 + random.nextInt(500)];
      int spread = 1 + random.nextInt(20);
      for (int i = 0; i < values.length; i++) {
        values[i] = 1L + random.nextInt(1 << spread);
        histogram.observe(values[i]);
      }
      Arrays.sort(values);
      double share = random.nextDouble(0.01, 1);
      long exact = values[(int) Math.ceil(share * values.length) - 1];
      assertThat(histogram.quantile(share))
          .as("seed %s, round %s: the true one is %s", seed, round, exact)
          .isBetween(
              exact == 1 ? 0.0 : Long.highestOneBit(exact) / 2.0, 2.0 * Long.highestOneBit(exact));
    }
  }
}
