package com.datanadhi.hub.intake;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.RecordData;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An intake with a log, databases and a clock that the test holds.
final class Stage {
  static final String TENANT = "acme";
  static final long HORIZON = 1_000_000;

  final MemoryLog log = new MemoryLog();
  final MemoryView view = new MemoryView();
  final TestClock clock = new TestClock();
  Intake intake;

  Stage() {
    this(IntakeSettings.Bounds.defaults());
  }

  Stage(IntakeSettings.Bounds bounds) {
    intake = intake(bounds);
  }

  /// Another process on the same log and databases.
  void restart() throws Exception {
    intake = intake(IntakeSettings.Bounds.defaults());
    // Some of what is applied is read again, as after a crash.
    new TailLoader(log, intake).load(Math.max(0, view.appliedThrough() - 1_000));
  }

  void applyAll() {
    view.apply(log, log.end(Intake.STREAM), intake);
  }

  Outcome send(@Nullable String key, String... logData) throws InterruptedException {
    return intake.submit(TENANT, submission(key, logData));
  }

  static Submission submission(@Nullable String key, String... logData) {
    return new Submission(
        key,
        Arrays.stream(logData)
            .map(text -> new RecordData(List.of("p"), text.getBytes(UTF_8)))
            .toList());
  }

  private Intake intake(IntakeSettings.Bounds bounds) {
    IntakeSettings defaults = IntakeSettings.defaults();
    return new Intake(
        log,
        view,
        new IntakeSettings(defaults.durability(), HORIZON, bounds),
        clock,
        (_, _, _) -> {});
  }
}
