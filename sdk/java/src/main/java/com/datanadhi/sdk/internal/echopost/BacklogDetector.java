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
 * What an agent that is gone, and its guardian with it, left in its buffer: nobody would deliver it
 * before the next record for EchoPost. A look costs a few system calls; only where the buffer has
 * changed since it was found empty, and no agent lives, is the program asked. For one thread.
 */
final class BacklogDetector {
  /** What {@code echopost status} ends with when records are pending and no agent runs. */
  private static final int PENDING = 4;

  /** A full disk, which an agent empties by delivering, or a damaged buffer, which it salvages. */
  private static final int UNUSABLE = 1;

  private static final int NOTHING = 0;
  private static final int REJECTED_ALONE = 5;
  private static final long LONGEST_SECONDS = 30;

  private final DirectoryLayout layout;
  private final Cooldown cooldown;
  private List<FileTime> empty = List.of();

  /**
   * @param cooldown between agents that leave records behind, each soon after the other, and
   *     between looks that fail
   */
  BacklogDetector(DirectoryLayout layout, Cooldown cooldown) {
    this.layout = layout;
    this.cooldown = cooldown;
  }

  /** Whether records wait for an agent to be started. */
  boolean isLeft() throws InterruptedException {
    if (!Files.exists(layout.buffer()) || cooldown.isRunning()) {
      return false;
    }
    try {
      List<FileTime> now = changes();
      if (now.equals(empty) || AgentStarter.answers(layout.socket())) {
        return false;
      }
      int status = status();
      if (status == NOTHING || status == REJECTED_ALONE) {
        empty = now;
        cooldown.reset();
      } else {
        cooldown.begin();
      }
      return status == PENDING || status == UNUSABLE;
    } catch (IOException cannotLook) {
      cooldown.begin();
      return false;
    }
  }

  private List<FileTime> changes() throws IOException {
    FileTime buffer = Files.getLastModifiedTime(layout.buffer());
    Path log = layout.bufferLog();
    // Looking leaves an empty one.
    boolean isLogged = Files.exists(log) && Files.size(log) > 0;
    return isLogged ? List.of(buffer, Files.getLastModifiedTime(log)) : List.of(buffer);
  }

  private int status() throws IOException, InterruptedException {
    Process status =
        new ProcessBuilder(
                layout.program().toString(), "status", "-datanadhi", layout.directory().toString())
            .redirectInput(Redirect.from(new File("/dev/null")))
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.DISCARD)
            .start();
    try {
      return status.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS) ? status.exitValue() : -1;
    } finally {
      status.destroyForcibly();
    }
  }
}
