package com.datanadhi.hub.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceRunsTest {
  private static final String OTHER = "0".repeat(32);

  @TempDir Path directory;

  @Test
  void intervals_are_the_runs_of_the_set_of_added_numbers() throws Exception {
    long seed = System.currentTimeMillis();
    System.out.println("SourceRunsTest seed " + seed);
    Random random = new Random(seed);
    TreeSet<Long> reference = new TreeSet<>();
    TenantDatabases databases = new TenantDatabases(directory, 64);
    try {
      for (int transaction = 0; transaction < 120; transaction++) {
        boolean fails = random.nextInt(6) == 0;
        TreeSet<Long> next = new TreeSet<>(reference);
        try {
          String _ = databases.write("acme", writer -> change(writer, random, next, fails));
          reference = next;
        } catch (IllegalStateException rolledBack) {
          assertThat(fails).isTrue();
        }
        if (random.nextInt(10) == 0) {
          databases.close();
          databases = new TenantDatabases(directory, 64);
        }
        List<Interval> stored = databases.read("acme", reader -> reader.intervals(Rows.SOURCE));
        assertThat(stored).as("seed " + seed).isEqualTo(runs(reference));
        List<Interval> other = databases.read("acme", reader -> reader.intervals(OTHER));
        assertThat(other).hasSize(reference.isEmpty() ? 0 : 1);
      }
      assertThat(runs(reference).size()).as("more runs than one window holds").isGreaterThan(400);
    } finally {
      databases.close();
    }
  }

  private static String change(
      TenantWriter writer, Random random, SortedSet<Long> numbers, boolean fails) {
    long at = 1L + random.nextInt(4_000);
    for (int i = 0; i < 60; i++) {
      long number =
          switch (random.nextInt(4)) {
            case 0 -> at++;
            case 1 -> Math.max(1, at - random.nextInt(5));
            case 2 -> 1 + random.nextInt(4_000);
            default -> at += 2;
          };
      assertThat(writer.hasNumber(Rows.SOURCE, number)).isEqualTo(numbers.contains(number));
      writer.addNumber(Rows.SOURCE, number, i);
      numbers.add(number);
      if (random.nextInt(50) == 0) {
        assertThat(writer.intervals(Rows.SOURCE)).isEqualTo(runs(numbers));
      }
    }
    writer.addNumber(OTHER, 1, 1);
    if (fails) {
      throw new IllegalStateException("rolls back");
    }
    return "";
  }

  private static List<Interval> runs(SortedSet<Long> numbers) {
    List<Interval> runs = new ArrayList<>();
    for (long number : numbers) {
      if (!runs.isEmpty() && runs.getLast().last() == number - 1) {
        runs.set(runs.size() - 1, new Interval(runs.getLast().first(), number));
      } else {
        runs.add(new Interval(number, number));
      }
    }
    return runs;
  }

  @Test
  void a_run_knows_its_latest_record() throws Exception {
    long last = 999_999_999_999_999_999L;
    try (TenantDatabases databases = new TenantDatabases(directory, 64)) {
      String _ =
          databases.write(
              "acme",
              writer -> {
                writer.addNumber(Rows.SOURCE, 1, 70);
                writer.addNumber(Rows.SOURCE, 3, 10);
                writer.addNumber(Rows.SOURCE, 2, 50);
                writer.addNumber(Rows.SOURCE, last, 60);
                return "";
              });
      List<SourceState> sources = databases.read("acme", reader -> reader.sources(Rows.SOURCE));
      assertThat(sources)
          .containsExactly(
              new SourceState(
                  Rows.SOURCE, List.of(new Interval(1, 3), new Interval(last, last)), 70));
    }
  }
}
