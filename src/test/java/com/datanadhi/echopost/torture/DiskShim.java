package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/// The library that stands between a program and its disk, `src/test/c/diskshim.c`: for the files
/// below one directory it journals what is written, and fails when told to. Thread-safe.
final class DiskShim {
  /// What can be made to fail.
  enum Call {
    READ,
    WRITE,
    SYNC
  }

  private final Path disk;
  private final Path journal;
  private final Path faults;

  /// @param home where to keep the journal, and the disk
  DiskShim(Path home) throws IOException {
    this.disk = Files.createDirectories(home.resolve("disk")).toRealPath();
    this.journal = Files.createFile(home.resolve("journal"));
    this.faults = Files.createFile(home.resolve("faults"));
  }

  /// What a program needs in its environment to run on the shim.
  Map<String, String> environment() throws IOException, InterruptedException {
    Map<String, String> environment = new HashMap<>();
    environment.put("LD_PRELOAD", Shims.library("diskshim").toString());
    environment.put("DISKSHIM_DIRECTORY", disk.toString());
    environment.put("DISKSHIM_JOURNAL", journal.toAbsolutePath().toString());
    environment.put("DISKSHIM_FAULTS", faults.toAbsolutePath().toString());
    return environment;
  }

  /// The agent's directory on the disk. Not the disk itself, so that its own name can be lost too.
  Path directory() {
    return directoryOn(disk);
  }

  /// The agent's directory on another disk, made from the journal.
  static Path directoryOn(Path disk) {
    return disk.resolve("agent");
  }

  /// The disk that it stands before.
  Path disk() {
    return disk;
  }

  Path journal() {
    return journal;
  }

  /// How long the journal is: all that the program did before this call is in it.
  long journalLength() {
    try {
      return Files.size(journal);
    } catch (IOException gone) {
      throw new UncheckedIOException(gone);
    }
  }

  /// From now on the `nth` call fails, and if `forGood` all that follow.
  ///
  /// @param name of the file, or a pattern with `*`
  void fail(Call call, String name, int nth, boolean forGood) throws IOException {
    order(
        call.name().toLowerCase(java.util.Locale.ROOT)
            + " "
            + name
            + " "
            + nth
            + (forGood ? " always" : " once"));
  }

  /// The next sync of a file does not return.
  void hang(String name) throws IOException {
    order("sync " + name + " 1 hang");
  }

  /// From now on nothing fails.
  void mend() throws IOException {
    order("");
  }

  /// How often something has failed.
  long failures() throws IOException {
    Path log = faults.resolveSibling(faults.getFileName() + ".log");
    return Files.exists(log) ? Files.readAllLines(log).size() : 0;
  }

  private void order(String line) throws IOException {
    // Replaced in one go, since the program reads it at any moment.
    Path next = faults.resolveSibling("faults.next");
    Files.writeString(next, line, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
    Files.move(next, faults, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
  }
}
