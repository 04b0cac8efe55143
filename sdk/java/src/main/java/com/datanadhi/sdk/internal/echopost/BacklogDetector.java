package com.datanadhi.sdk.internal.echopost;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Detects records in EchoPost's buffer that no agent delivers, because the agent and its guardian
 * were killed. Without this check they would wait until the next record is sent to EchoPost.
 *
 * <p>A check costs a few system calls. The program is only run, as {@code echopost status}, if the
 * buffer has changed since it was found empty and no agent accepts connections. For one thread.
 */
final class BacklogDetector {
  /** The exit status of {@code echopost status}: records are pending and no agent runs. */
  private static final int PENDING = 4;

  /**
   * The exit status if the buffer cannot be used: the disk is full, or the buffer is damaged. An
   * agent can fix both: it frees space by delivering records, and it salvages a damaged buffer.
   */
  private static final int UNUSABLE = 1;

  private static final int EMPTY = 0;
  private static final int ONLY_REJECTED = 5;
  private static final long STATUS_TIMEOUT_SECONDS = 30;

  private final DirectoryLayout layout;
  private final Cooldown cooldown;
  private List<FileTime> modifiedWhenEmpty = List.of();

  /**
   * @param cooldown runs after a check that failed or that found records; so agents that leave
   *     records behind are not started one after the other
   */
  BacklogDetector(DirectoryLayout layout, Cooldown cooldown) {
    this.layout = layout;
    this.cooldown = cooldown;
  }

  /** Whether an agent should be started to deliver records. */
  boolean hasBacklog() throws InterruptedException {
    if (!Files.exists(layout.buffer()) || cooldown.isRunning()) {
      return false;
    }
    try {
      List<FileTime> modified = modificationTimes();
      if (modified.equals(modifiedWhenEmpty) || AgentStarter.isListening(layout.socket())) {
        return false;
      }
      int status = runStatus();
      if (status == EMPTY || status == ONLY_REJECTED) {
        modifiedWhenEmpty = modified;
        cooldown.reset();
      } else {
        cooldown.begin();
      }
      return status == PENDING || status == UNUSABLE;
    } catch (IOException failed) {
      cooldown.begin();
      return false;
    }
  }

  private List<FileTime> modificationTimes() throws IOException {
    FileTime buffer = Files.getLastModifiedTime(layout.buffer());
    Path wal = layout.bufferWal();
    // The status command itself leaves an empty one.
    boolean hasWal = Files.exists(wal) && Files.size(wal) > 0;
    return hasWal ? List.of(buffer, Files.getLastModifiedTime(wal)) : List.of(buffer);
  }

  private int runStatus() throws IOException, InterruptedException {
    Process status =
        ChildProcess.start(
            new ProcessBuilder(
                    layout.program().toString(),
                    "status",
                    "-datanadhi",
                    layout.directory().toString())
                .redirectInput(Redirect.from(new File("/dev/null")))
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD));
    try {
      return status.waitFor(STATUS_TIMEOUT_SECONDS, TimeUnit.SECONDS) ? status.exitValue() : -1;
    } finally {
      status.destroyForcibly();
    }
  }
}
