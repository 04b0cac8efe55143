package com.datanadhi.sdk.internal.echopost;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Decides whether a file is EchoPost: by its content, without running it, and by its answer. */
final class ProgramFile {
  /** More than the script at the beginning of the program has. */
  private static final int HEAD_BYTES = 256 << 10;

  /** The script's first lines, and its last one, as {@code scripts/package} writes them. */
  private static final String SCRIPT_START = "#!/bin/sh\n# EchoPost v";

  private static final Pattern SCRIPT_END =
      Pattern.compile("^main \"\\$@\"; exit # v\\S+-\\d+-(\\d{1,18})\n", Pattern.MULTILINE);

  private static final String GZIP_START = "\u001f\u008b";
  private static final String ELF_64_LITTLE_ENDIAN = "\u007fELF\u0002\u0001";
  private static final String MACH_O_64 = "\u00cf\u00fa\u00ed\u00fe";
  private static final Pattern VERSION_LINE = Pattern.compile("echopost v(\\d\\S*)\\R?");
  private static final int ANSWER_BYTES = 1000;

  private ProgramFile() {}

  /**
   * The answer to {@code -version}.
   *
   * @param version such as {@code 1.0.0}; empty if the program did not answer as EchoPost does
   * @param problem what it did instead; empty if it answered
   */
  record Answer(String version, String problem) {
    boolean isEchoPost() {
      return problem.isEmpty();
    }
  }

  /**
   * Whether the kernel can run the file as a program or script. Any other file, such as a web page,
   * would be run by a shell, line by line.
   */
  static boolean isRunnable(Path file) throws IOException {
    String head = head(file, ELF_64_LITTLE_ENDIAN.length());
    return head.startsWith("#!")
        || head.startsWith(ELF_64_LITTLE_ENDIAN)
        || head.startsWith(MACH_O_64);
  }

  /**
   * Whether the content is that of a program for the platform: an executable file of its operating
   * system and processor, or EchoPost's script with its whole archive. No web page and no other
   * script is either of them by accident.
   */
  static boolean isFor(Platform platform, Path file) throws IOException {
    String head = head(file, HEAD_BYTES);
    if (head.startsWith(SCRIPT_START)) {
      Matcher end = SCRIPT_END.matcher(head);
      return end.find()
          && head.startsWith(GZIP_START, end.end())
          && Files.size(file) == end.end() + Long.parseLong(end.group(1));
    }
    boolean isArm = platform.arch().equals("arm64");
    if (platform.os().equals("darwin")) {
      return head.startsWith(MACH_O_64)
          && head.length() >= 8
          && number(head, 4).getInt() == (isArm ? 0x0100000c : 0x01000007);
    }
    return head.startsWith(ELF_64_LITTLE_ENDIAN)
        && head.length() >= 20
        && number(head, 18).getShort() == (isArm ? 183 : 62);
  }

  private static ByteBuffer number(String head, int at) {
    byte[] bytes = head.substring(at).getBytes(StandardCharsets.ISO_8859_1);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The first bytes of the file, a character each. */
  private static String head(Path file, int bytes) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(bytes), StandardCharsets.ISO_8859_1);
    }
  }

  /** The checksum of the file, in lower-case hexadecimal digits. */
  static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] part = new byte[64 << 10];
      for (int read = in.read(part); read >= 0; read = in.read(part)) {
        digest.update(part, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException impossible) {
      throw new IOException(impossible);
    }
  }

  /**
   * Runs the program with {@code -version}. The first run also unpacks the program's runtime.
   *
   * @param timeout until it must have answered and ended; then it is killed
   */
  static Answer run(Path program, Duration timeout) throws InterruptedException {
    Process process;
    try {
      process =
          ChildProcess.start(
              new ProcessBuilder(program.toString(), "-version")
                  .redirectInput(Redirect.from(new File("/dev/null")))
                  .redirectErrorStream(true));
    } catch (IOException cannotRun) {
      return new Answer("", cannotRun.toString());
    }
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        return new Answer("", "-version did not end within %d s".formatted(timeout.toSeconds()));
      }
      String output = output(process);
      Matcher line = VERSION_LINE.matcher(output);
      return process.exitValue() == 0 && line.matches()
          ? new Answer(line.group(1), "")
          : new Answer(
              "",
              "-version ended with status %d and printed \"%s\""
                  .formatted(process.exitValue(), output.lines().findFirst().orElse("")));
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** What the process has printed so far: another one that it left behind could hold the pipe. */
  private static String output(Process ended) {
    try (InputStream in = ended.getInputStream()) {
      byte[] printed = in.readNBytes(Math.min(in.available(), ANSWER_BYTES));
      return new String(printed, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      return "";
    }
  }
}
