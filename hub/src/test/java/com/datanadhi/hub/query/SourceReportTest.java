package com.datanadhi.hub.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.SourceState;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SourceReportTest {
  private static SourceReport report(Interval... intervals) {
    return SourceReport.of(new SourceState("s", List.of(intervals), 1_000));
  }

  @Test
  void a_source_without_gaps_is_complete_to_its_last_number() {
    SourceReport report = report(new Interval(1, 9_000));
    assertThat(report.completeTo()).isEqualTo(9_000);
    assertThat(report.stored()).isEqualTo(9_000);
    assertThat(report.missing()).isEmpty();
    assertThat(report.cut()).isFalse();
  }

  @Test
  void gaps_are_named_also_before_the_first_number() {
    SourceReport report = report(new Interval(3, 3), new Interval(6, 10));
    assertThat(report.completeTo()).isZero();
    assertThat(report.stored()).isEqualTo(6);
    assertThat(report.missing()).containsExactly(new Interval(1, 2), new Interval(4, 5));
  }

  @Test
  void a_source_without_numbers_is_empty() {
    assertThat(report()).isEqualTo(new SourceReport("s", 0, 0, List.of(), 0, 1_000));
  }

  @Test
  void only_so_many_gaps_are_listed_and_the_json_says_how_many_there_are() {
    List<Interval> odd = new ArrayList<>();
    for (long n = 1; n < 4_000; n += 2) {
      odd.add(new Interval(n, n));
    }
    SourceReport report = SourceReport.of(new SourceState("s", odd, 0));
    assertThat(report.missing()).hasSize(SourceReport.MAX_MISSING);
    assertThat(report.missingRanges()).isEqualTo(1_999);
    assertThat(QueryJson.sources(List.of(report))).contains("\"missing_ranges\":1999");
  }

  @Test
  void the_json_is_as_the_contract_has_it() {
    assertThat(QueryJson.sources(List.of(report(new Interval(1, 2), new Interval(4, 5)))))
        .isEqualTo(
            "[{\"source\":\"s\",\"stored\":4,\"complete_to\":2,\"missing\":[[3,3]],"
                + "\"last_received_at\":\"1970-01-01T00:00:01.000Z\"}]");
  }

  @Test
  void stored_and_missing_numbers_are_all_numbers_up_to_the_last() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      TreeSet<Long> numbers = new TreeSet<>();
      for (int i = random.nextInt(30); i >= 0; i--) {
        numbers.add((long) random.nextInt(1, 60));
      }
      List<Interval> intervals = new ArrayList<>();
      for (long n : numbers) {
        if (!intervals.isEmpty() && intervals.getLast().last() == n - 1) {
          intervals.add(new Interval(intervals.removeLast().first(), n));
        } else {
          intervals.add(new Interval(n, n));
        }
      }
      SourceReport report = SourceReport.of(new SourceState("s", intervals, 0));
      TreeSet<Long> missing = new TreeSet<>();
      for (Interval range : report.missing()) {
        for (long n = range.first(); n <= range.last(); n++) {
          missing.add(n);
        }
      }
      long complete = 0;
      while (numbers.contains(complete + 1)) {
        complete++;
      }
      assertThat(report.stored()).as("seed %s", seed).isEqualTo(numbers.size());
      assertThat(report.completeTo()).as("seed %s", seed).isEqualTo(complete);
      assertThat(missing).as("seed %s", seed).doesNotContainAnyElementsOf(numbers);
      assertThat(missing.size() + numbers.size())
          .as("seed %s", seed)
          .isEqualTo(numbers.last().intValue());
    }
  }
}
